{#- Over how many sessions moves of a yield are measured. -#}
{% macro move_sessions() %}
    {{ return([1, 2, 3, 5]) }}
{% endmacro %}
