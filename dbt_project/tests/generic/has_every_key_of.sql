{#- Each combination of columns that the other model has stands here too. -#}
{% test has_every_key_of(model, other, columns) %}
select {{ columns | join(', ') }} from {{ other }}
except
select {{ columns | join(', ') }} from {{ model }}
{% endtest %}
