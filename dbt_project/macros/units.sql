{#- One place for each conversion of units; names carry the result's unit. -#}
{% macro usd_bn_from_mn(column) %}{{ column }} / 1000.0{% endmacro %}

{% macro jpy_bn_from_100mn(column) %}{{ column }} / 10.0{% endmacro %}

{#- Percent to basis points. Published yields have at most 4 decimals: rounding to 0.01 bp only drops binary noise. -#}
{% macro bp_from_pct(expression) %}round(100 * ({{ expression }}), 2){% endmacro %}
