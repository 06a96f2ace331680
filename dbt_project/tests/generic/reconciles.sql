{#- Two publications, or two columns, tell the same within the tolerance of int_reconciliations. -#}
{% test reconciles(model, reconciliation) %}
select *
from {{ model }}
where
    reconciliation = '{{ reconciliation }}'
    and not agrees
{% endtest %}
