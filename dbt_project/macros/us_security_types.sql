{#- Kinds of long-term US securities in TIC table 1: as its columns name them, and as we do. -#}
{% macro us_security_types() %}
    {{ return({
        'total': 'total', 'treas': 'treasuries', 'agcy': 'agencies', 'corp': 'corporates', 'eqty': 'equities'
    }) }}
{% endmacro %}
