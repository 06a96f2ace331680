{#- Nowhere is the column above another of the same row; null passes. -#}
{% test at_most(model, column_name, other) %}
select *
from {{ model }}
where {{ column_name }} > {{ other }}
{% endtest %}
