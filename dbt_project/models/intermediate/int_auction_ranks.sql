{#- Per measure the value that is ranked, the direction that is worst, and the values whose means are taken. -#}
{%- set measures = {
    'tail': {
        'value': 'tail_price',
        'worst': 'desc',
        'means': {'tail_prior%d_mean_bp': 'tail_yield_bp', 'tail_compound_prior%d_mean_bp': 'tail_compound_bp'},
    },
    'bid_to_cover': {
        'value': 'bid_to_cover', 'worst': 'asc', 'means': {'bid_to_cover_prior%d_mean': 'bid_to_cover'}
    },
} -%}
with auctions as (

    select * from {{ ref('int_auctions') }}

),

yields as (

    select * from {{ ref('int_auction_yields') }}

),

joined as (

    select
        auctions.*,
        yields.tail_compound_bp
    from auctions
    inner join yields
        on
            auctions.instrument = yields.instrument
            and auctions.auction_date = yields.auction_date

),
{% for measure, its in measures.items() %}
{{ measure }} as (

    select
        instrument,
        auction_date,
        {%- for prior in [6, 12] %}
        {%- for name, of in its['means'].items() %}
        if(count({{ of }}) over prior{{ prior }} = {{ prior }}, round(avg({{ of }}) over prior{{ prior }}, 6), null)
            as {{ name % prior }},
        {%- endfor %}
        -- Distance from the median in units of the median absolute deviation, scaled to a normal's standard deviation.
        if(
            count(*) over prior{{ prior }} = {{ prior }},
            round(
                ({{ its['value'] }} - median({{ its['value'] }}) over prior{{ prior }})
                -- A spread of a millionth is binary noise around none.
                / nullif(1.4826 * round(mad({{ its['value'] }}) over prior{{ prior }}, 6), 0),
                4
            ),
            null
        ) as {{ measure }}_prior{{ prior }}_z,
        {%- endfor %}
        rank(order by {{ its['value'] }} {{ its['worst'] }}) over so_far as {{ measure }}_rank,
        count(*) over so_far as {{ measure }}_n,
        round(
            100.0 * (count(*) over so_far + 1 - rank(order by {{ its['value'] }} desc) over so_far)
            / count(*) over so_far,
            2
        ) as {{ measure }}_pctile
    from joined
    where {{ its['value'] }} is not null and has_history
    window
        {%- for prior in [6, 12] %}
        prior{{ prior }} as (
            partition by instrument order by auction_date rows between {{ prior }} preceding and 1 preceding
        ),
        {%- endfor %}
        so_far as (partition by instrument order by auction_date rows between unbounded preceding and current row)

),
{% endfor %}
final as (

    select
        bid_to_cover.*,
        tail.* exclude (instrument, auction_date) -- noqa: RF02
    from bid_to_cover
    left join tail
        on
            bid_to_cover.instrument = tail.instrument
            and bid_to_cover.auction_date = tail.auction_date

)

select * from final
