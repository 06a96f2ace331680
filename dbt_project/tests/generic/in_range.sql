{#- Values lie between the bounds that are given; null passes. -#}
{% test in_range(model, column_name, at_least=none, at_most=none) %}
select *
from {{ model }}
where
    false
    {%- if at_least is not none %}
    or {{ column_name }} < {{ at_least }}
    {%- endif %}
    {%- if at_most is not none %}
    or {{ column_name }} > {{ at_most }}
    {%- endif %}
{% endtest %}
