{#- What is auctioned on pages whose layout nobody has verified: published with JGB_INCLUDE_UNVERIFIED only. -#}
{% macro unverified_instruments() %}('liquidity_enhancement', '10y_inflation'){% endmacro %}
