with yields as (

    select * from {{ ref('int_jgb_yields') }}

),

records as (

    select * from {{ ref('int_yield_records') }}

),

final as (

    select
        yields.obs_date,
        yields.tenor_years,
        yields.yield_pct,
        yields.change_1d_bp,
        yields.change_5d_bp,
        highest.since_date as highest_since_date,
        largest_rise.since_date as largest_rise_since_date,
        yields.published_at,
        yields.first_seen_at,
        yields.snapshot_sha256,
        yields.source_line
    from yields
    left join records as highest
        on
            yields.tenor_years::varchar = highest.series
            and yields.obs_date = highest.at_date
            and highest.kind = 'highest'
    left join records as largest_rise
        on
            yields.tenor_years::varchar = largest_rise.series
            and yields.obs_date = largest_rise.at_date
            and largest_rise.kind = 'largest_rise'

)

select * from final
