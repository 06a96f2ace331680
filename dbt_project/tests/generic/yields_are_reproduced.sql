{#- The published yield (of a bid yield: the price) is what its rule gives, but for those listed; a listed one is not. -#}
{% test yields_are_reproduced(model, exceptions) %}
{%- for side in ['average', 'lowest'] %}
select
    coalesce(yields.instrument, exceptions.instrument) as instrument,
    coalesce(yields.auction_date, exceptions.auction_date) as auction_date,
    '{{ side }}' as side,
    yields.{{ side }}_published as published,
    yields.{{ side }}_recomputed as recomputed,
    case
        when yields.instrument is null then 'listed, but there is no such auction'
        when yields.{{ side }}_agrees is null then 'no rule to recompute it by'
        when yields.{{ side }}_agrees then 'listed, but reproduced'
        else 'not reproduced and not listed'
    end as problem
from {{ model }} as yields
full join (select * from {{ exceptions }} where side = '{{ side }}') as exceptions
    on
        yields.instrument = exceptions.instrument
        and yields.auction_date = exceptions.auction_date
where
    yields.{{ side }}_agrees = (exceptions.side is not null)
    or (yields.{{ side }}_published is not null and yields.{{ side }}_agrees is null)
    or (yields.instrument is null and exists (select * from {{ model }}))
{{ "union all" if not loop.last }}
{%- endfor %}
{% endtest %}
