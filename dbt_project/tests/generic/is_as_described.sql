{#- Rows are what the YAML says: primary_key (meta of the model) stands once and is whole; at_least, at_most and one_of
    (meta of columns) hold, and null passes them. Tells which rule which row breaks. One test a table: each costs more to
    start than to run. -#}
{% test is_as_described(model) %}
{%- set rules = [] -%}
{%- set key = [] -%}
{%- if execute -%}
    {%- for node in graph.nodes.values() if node.resource_type in ('model', 'seed') and node.name == model.identifier -%}
        {%- for column in node.config.meta.primary_key -%}
            {%- do key.append(adapter.quote(column)) -%}
        {%- endfor -%}
        {%- for column in node.columns.values() -%}
            {%- set name = adapter.quote(column.name) -%}
            {%- for bound, operator in {'at_least': '<', 'at_most': '>'}.items() if bound in column.config.meta -%}
                {%- set limit = column.config.meta[bound] -%}
                {%- do rules.append((
                    '%s is %s %s' % (column.name, bound.replace('_', ' '), limit), name, '%s %s %s' % (name, operator, limit)
                )) -%}
            {%- endfor -%}
            {%- if 'one_of' in column.config.meta -%}
                {%- set known = "'" ~ column.config.meta['one_of'] | join("', '") ~ "'" -%}
                {%- do rules.append((
                    '%s is one of the described' % column.name, name, '%s not in (%s)' % (name, known)
                )) -%}
            {%- endif -%}
        {%- endfor -%}
    {%- endfor -%}
{%- endif %}
select
    'the key stands once' as rule,
    concat_ws(', ', {{ key | join(', ') }}) as key,
    count(*)::varchar as found
from {{ model }}
group by {{ key | join(', ') }}
having count(*) > 1
union all
select
    'the key is whole' as rule,
    concat_ws(', ', {{ key | join(', ') }}) as key,
    'null' as found
from {{ model }}
where {{ key | join(' is null or ') }} is null
{%- for rule, name, broken in rules %}
union all
select
    '{{ rule }}' as rule,
    concat_ws(', ', {{ key | join(', ') }}) as key,
    {{ name }}::varchar as found
from {{ model }}
where {{ broken }}
{%- endfor %}
{% endtest %}
