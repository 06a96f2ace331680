{#- No two rows share the model's primary key, as its meta names it. -#}
{% test key_is_unique(model) %}
{%- set key = [] -%}
{%- if execute -%}
    {%- for node in graph.nodes.values() if node.resource_type == 'model' and node.name == model.identifier -%}
        {%- for column in node.config.meta.primary_key -%}
            {%- do key.append(adapter.quote(column)) -%}
        {%- endfor -%}
    {%- endfor -%}
{%- endif -%}
select
    {{ key | join(', ') }},
    count(*) as copies
from {{ model }}
group by {{ key | join(', ') }}
having count(*) > 1
{% endtest %}
