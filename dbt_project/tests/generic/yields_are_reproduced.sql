{#- The published yield (of a bid yield: the price) is what its rule gives, but for those listed; a listed one is not. -#}
{% test yields_are_reproduced(model, exceptions) %}
{%- for side in ['average', 'lowest'] %}
select
    yields.instrument,
    yields.auction_date,
    '{{ side }}' as side,
    yields.{{ side }}_published as published,
    yields.{{ side }}_recomputed as recomputed,
    if(exceptions.side is null, 'not reproduced and not listed', 'listed, but reproduced') as problem
from {{ model }} as yields
left join {{ exceptions }} as exceptions
    on
        yields.instrument = exceptions.instrument
        and yields.auction_date = exceptions.auction_date
        and exceptions.side = '{{ side }}'
where yields.{{ side }}_agrees = (exceptions.side is not null)
{{ "union all" if not loop.last }}
{%- endfor %}
{% endtest %}
