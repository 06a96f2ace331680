-- Every series of which readers ask "since when was it last so high": one row a value, larger is more extreme.
with yields as (

    select * from {{ ref('int_jgb_yields') }}

),

measures as (

    select * from {{ ref('int_curve_measures') }}

),

auctions as (

    select * from {{ ref('int_auctions') }}

),

candidates as (

    select
        'yield' as kind,
        tenor_years::varchar as series,
        obs_date as at_date,
        yield_pct as extreme
    from yields
    union all
    select
        'rise',
        tenor_years::varchar,
        obs_date,
        change_1d_bp
    from yields
    union all
    select
        'high',
        measure,
        obs_date,
        measured
    from measures
    union all
    select
        'low',
        measure,
        obs_date,
        -measured
    from measures
    union all
    select
        'tail',
        instrument,
        auction_date,
        tail_price
    from auctions
    union all
    select
        'low_cover',
        instrument,
        auction_date,
        -bid_to_cover
    from auctions

),

final as (

    select * from candidates
    where extreme is not null
    order by kind, series, at_date

)

select * from final
