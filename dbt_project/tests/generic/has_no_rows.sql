{#- A model that lists what must not be is empty. -#}
{% test has_no_rows(model) %}
select * from {{ model }}
{% endtest %}
