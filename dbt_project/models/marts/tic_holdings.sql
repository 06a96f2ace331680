with positions as (

    {{ latest_version(ref('int_tic_positions'), ['source_table', 'month_end_date', 'holder']) }}

),

first_prints as (

    select
        month_end_date,
        holder,
        arg_min(position_usd_bn, (first_seen_at, preference)) as first_print_usd_bn
    from {{ ref('int_tic_positions') }}
    group by month_end_date, holder

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
        {%- for position in ['position', 'long_term'] %}
        case
            when lag(chosen.month_end_date) over by_holder = last_day(chosen.month_end_date - interval 1 month)
                then round(chosen.{{ position }}_usd_bn - lag(chosen.{{ position }}_usd_bn) over by_holder, 3)
        end as {{ position }}_change_usd_bn{{ "," if not loop.last }}
        {%- endfor %}
    from chosen
    window by_holder as (partition by chosen.holder order by chosen.month_end_date)

),

-- What is left of a change is never published, and never forced to zero.
explained as (

    select
        *,
        round(position_change_usd_bn - net_purchases_usd_bn - valuation_usd_bn, 3) as other_usd_bn,
        round(long_term_change_usd_bn - long_term_net_purchases_usd_bn - valuation_usd_bn, 3) as long_term_other_usd_bn
    from changes

),

final as (

    select
        changes.month_end_date,
        changes.holder,
        changes.position_usd_bn,
        first_prints.first_print_usd_bn,
        100 * changes.position_usd_bn / totals.position_usd_bn as share_pct,
        case
            when not changes.is_aggregate and changes.position_usd_bn is not null
                then rank() over (
                    partition by changes.month_end_date, changes.is_aggregate
                    order by changes.position_usd_bn desc nulls last
                )
        end::integer as rank,
        changes.position_change_usd_bn as change_usd_bn,
        changes.net_purchases_usd_bn,
        changes.valuation_usd_bn,
        changes.other_usd_bn,
        {{ change_statement(
            'changes.position_change_usd_bn', 'changes.net_purchases_usd_bn', 'changes.valuation_usd_bn',
            'changes.other_usd_bn', 'series_breaks.month_end_date is not null'
        ) }} as change_statement,
        changes.long_term_usd_bn,
        changes.long_term_change_usd_bn,
        changes.long_term_net_purchases_usd_bn,
        changes.long_term_other_usd_bn,
        changes.short_term_usd_bn,
        changes.short_term_net_purchases_usd_bn,
        changes.is_aggregate,
        series_breaks.month_end_date is not null as series_break,
        changes.published_at,
        changes.first_seen_at,
        changes.source_table,
        changes.snapshot_sha256
    from explained as changes
    left join first_prints
        on
            changes.month_end_date = first_prints.month_end_date
            and changes.holder = first_prints.holder
    left join totals on changes.month_end_date = totals.month_end_date
    left join series_breaks on changes.month_end_date = series_breaks.month_end_date

)

select * from final
