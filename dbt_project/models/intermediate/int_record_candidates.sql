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
        'rise' as kind,
        tenor_years::varchar as series,
        obs_date as at_date,
        change_1d_bp as extreme
    from yields
    union all
    select
        'high' as kind,
        measure as series,
        obs_date as at_date,
        measured as extreme
    from measures
    union all
    select
        'low' as kind,
        measure as series,
        obs_date as at_date,
        -measured as extreme
    from measures
    union all
    select
        'tail' as kind,
        instrument as series,
        auction_date as at_date,
        tail_price as extreme
    from auctions
    union all
    select
        'low_cover' as kind,
        instrument as series,
        auction_date as at_date,
        -bid_to_cover as extreme
    from auctions

),

final as (

    select * from candidates
    where extreme is not null
    order by kind, series, at_date

)

select * from final
