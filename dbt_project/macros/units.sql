{#- One place for each conversion of units; names carry the result's unit. -#}
{% macro usd_bn_from_mn(column) %}{{ column }} / 1000.0{% endmacro %}

{#- Amounts are whole numbers of 10,000 yen: rounding only drops binary noise, so that equal amounts are equal numbers. -#}
{% macro jpy_bn_from_100mn(column) %}round({{ column }} / 10.0, 5){% endmacro %}

{#- Percent to basis points. Published yields have at most 4 decimals: rounding to 0.01 bp only drops binary noise. -#}
{% macro bp_from_pct(expression) %}round(100 * ({{ expression }}), 2){% endmacro %}
