with positions as (

    {{ latest_version(ref('int_tic_positions'), ['source_table', 'month_end_date', 'holder']) }}

),

series_breaks as (

    select * from {{ ref('tic_series_breaks') }}

),

-- A month is taken whole from the most detailed file that has it: table 3, else table 5, else mfhhis01.
chosen as (

    select *
    from positions
    qualify preference = min(preference) over (partition by month_end_date)

),

totals as (

    select
        month_end_date,
        position_usd_bn
    from chosen
    where holder = 'Grand Total'

),

changes as (

    select
        chosen.*,
        chosen.holder_kind <> 'country' as is_aggregate,
        case
            when lag(chosen.month_end_date) over by_holder = last_day(chosen.month_end_date - interval 1 month)
                then round(chosen.position_usd_bn - lag(chosen.position_usd_bn) over by_holder, 3)
        end as change_usd_bn
    from chosen
    window by_holder as (partition by chosen.holder order by chosen.month_end_date)

),

final as (

    select
        changes.month_end_date,
        changes.holder,
        changes.position_usd_bn,
        100 * changes.position_usd_bn / totals.position_usd_bn as share_pct,
        case
            when not changes.is_aggregate and changes.position_usd_bn is not null
                then rank() over (
                    partition by changes.month_end_date, changes.is_aggregate
                    order by changes.position_usd_bn desc nulls last
                )
        end::integer as rank,
        changes.change_usd_bn,
        changes.net_purchases_usd_bn,
        changes.valuation_usd_bn,
        round(changes.change_usd_bn - changes.net_purchases_usd_bn - changes.valuation_usd_bn, 3) as other_usd_bn,
        changes.long_term_usd_bn,
        changes.short_term_usd_bn,
        changes.is_aggregate,
        series_breaks.month_end_date is not null as series_break,
        changes.first_seen_at,
        changes.source_table,
        changes.snapshot_sha256
    from changes
    left join totals on changes.month_end_date = totals.month_end_date
    left join series_breaks on changes.month_end_date = series_breaks.month_end_date

)

select * from final
