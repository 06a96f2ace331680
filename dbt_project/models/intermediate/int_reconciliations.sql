-- Every pair of figures that two publications, or two columns, tell of the same thing.
{%- set flow_key = "concat_ws(' ', direction, security_type, investor_type)" %}
with table1 as (

    {{ latest_version(ref('stg_treasury_tic__table1'), ['month_end_date', 'holder_code']) }}

),

table3_rows as (

    {{ latest_version(ref('stg_treasury_tic__table3'), ['month_end_date', 'holder_code']) }}

),

-- Months that were not rewritten bear a holder's former name; other files know its newest only.
table3 as (

    select * replace (first_value(holder) over (partition by holder_code order by month_end_date desc) as holder)
    from table3_rows

),

table5_rows as (

    {{ latest_version(ref('stg_treasury_tic__table5'), ['month_end_date', 'holder']) }}

),

-- The file shows 13 months of the holders of its newest month; what it no longer shows is of an older release.
table5 as (

    select *
    from table5_rows
    qualify
        max(month_end_date) over (partition by holder) = max(month_end_date) over ()
        and month_end_date > last_day(max(month_end_date) over () - interval 13 months)

),

mfhhis01 as (

    {{ latest_version(ref('stg_treasury_tic__mfhhis01'), ['month_end_date', 'holder_label', 'is_primary']) }}

),

names as (

    select * from {{ ref('tic_holder_names') }}

),

flows as (

    {{ latest_version(
        ref('int_securities_flows'),
        ['source_table', 'period_end_date', 'direction', 'security_type', 'investor_type']
    ) }}

),

months_shown as (

    select
        'table1' as file,
        month_end_date
    from table1
    union all
    select
        'table3' as file,
        month_end_date
    from table3
    union all
    select
        'table5' as file,
        month_end_date
    from table5
    union all
    select
        source_table as file,
        period_end_date as month_end_date
    from flows

),

-- Files are held to each other when they are of one release; the gate warns while one is missing.
releases as (

    select
        max(month_end_date) filter (where file = 'table1') as table1_month,
        max(month_end_date) filter (where file = 'table3') as table3_month,
        max(month_end_date) filter (where file = 'table5') as table5_month,
        max(month_end_date) filter (where file = 'montha1') as montha1_month,
        max(month_end_date) filter (where file = 'monthb3') as monthb3_month
    from months_shown

),

-- Official holdings stand in table 5 by kind, in table 3 as columns.
table3_figures as (

    select
        month_end_date,
        holder,
        position_usd_bn
    from table3
    union all
    select
        month_end_date,
        holder || ' Treasury Bills' as holder,
        short_term_usd_bn as position_usd_bn
    from table3
    where holder_kind = 'official'
    union all
    select
        month_end_date,
        holder || ' T-Bonds & Notes' as holder,
        long_term_usd_bn as position_usd_bn
    from table3
    where holder_kind = 'official'

),

table3_ranks as (

    select
        month_end_date,
        holder,
        rank() over (partition by month_end_date order by position_usd_bn desc nulls last) as position_rank
    from table3
    where holder_kind = 'country'

),

table5_ranks as (

    select
        month_end_date,
        holder,
        rank() over (partition by month_end_date order by position_usd_bn desc) as position_rank,
        position_usd_bn
    from table5
    where holder_kind = 'country'
    qualify month_end_date = max(month_end_date) over ()

),

group_sums as (

    select
        month_end_date,
        'All Countries' as holder,
        'regions and Canada' as members,
        sum(position_usd_bn) as parts
    from table3
    -- Canada is a region of its own.
    where holder_kind = 'region' or holder_code = '29998'
    group by month_end_date
    union all
    select
        month_end_date,
        'Grand Total' as holder,
        'countries and organisations' as members,
        sum(position_usd_bn) as parts
    from table3
    where holder in ('All Countries', 'Total IROs')
    group by month_end_date
    union all
    select
        month_end_date,
        'Grand Total' as holder,
        'official and other' as members,
        sum(position_usd_bn) as parts
    from table3
    where holder_kind = 'official'
    group by month_end_date

),

-- Of the two monthly files, while they are of one release.
monthly_flows as (

    select flows.*
    from flows
    inner join releases on releases.montha1_month = releases.monthb3_month
    where flows.frequency = 'monthly'

),

weeks as (

    select distinct
        period_start_date,
        period_end_date
    from flows
    where frequency = 'weekly'

),

-- Spread over its weekdays, a week lies in one month or two.
week_days as (

    select
        week.direction,
        week.security_type,
        week.period_start_date + weekdays.number::integer as day,
        week.acquisition_jpy_bn / 5 as acquisition_jpy_bn,
        week.disposition_jpy_bn / 5 as disposition_jpy_bn
    from flows as week
    cross join range(1, 6) as weekdays (number)
    where week.frequency = 'weekly' and week.acquisition_jpy_bn is not null

),

months_of_weeks as (

    select
        direction,
        security_type,
        last_day(day) as month_end_date,
        sum(acquisition_jpy_bn) as acquisition_jpy_bn,
        sum(disposition_jpy_bn) as disposition_jpy_bn
    from week_days
    group by direction, security_type, last_day(day)

),

years as (

    select
        months.period_end_date,
        months.direction,
        months.security_type,
        count(*) over year_to_month as months,
        sum(spread.acquisition_jpy_bn) over year_to_month as weekly_acquisition_jpy_bn,
        sum(months.acquisition_jpy_bn) over year_to_month as monthly_acquisition_jpy_bn,
        sum(spread.disposition_jpy_bn) over year_to_month as weekly_disposition_jpy_bn,
        sum(months.disposition_jpy_bn) over year_to_month as monthly_disposition_jpy_bn
    from flows as months
    inner join months_of_weeks as spread
        on
            months.period_end_date = spread.month_end_date
            and months.direction = spread.direction
            and months.security_type = spread.security_type
    -- Only months that the weeks cover to the end.
    where
        months.source_table = 'montha1'
        and months.period_end_date <= (select max(weeks.period_end_date) from weeks)
    window
        year_to_month as (
            partition by months.direction, months.security_type
            order by months.period_end_date rows between 11 preceding and current row
        )

),

pairs as (

    -- Rounded half up, in whole millions: Israel of 2026-01, 114,650, stands as 114.7.
    select
        'table5_against_table3' as reconciliation,
        table5.month_end_date as period_end_date,
        table5.holder as series,
        'position_usd_bn' as measure,
        table5.position_usd_bn as figure,
        floor((round(table3_figures.position_usd_bn * 1000) + 50) / 100) / 10 as against,
        0 as tolerance
    from table5
    left join table3_figures
        on
            table5.month_end_date = table3_figures.month_end_date
            and table5.holder = table3_figures.holder
    inner join releases on releases.table3_month = releases.table5_month
    where table5.holder_kind <> 'other'
    union all
    select
        'table5_ranks_against_table3' as reconciliation,
        table5_ranks.month_end_date as period_end_date,
        table5_ranks.holder as series,
        'rank' as measure,
        table5_ranks.position_rank as figure,
        table3_ranks.position_rank as against,
        -- Equal when rounded, they may stand in either order.
        count(*) over (partition by table5_ranks.position_usd_bn) - 1 as tolerance
    from table5_ranks
    left join table3_ranks
        on
            table5_ranks.month_end_date = table3_ranks.month_end_date
            and table5_ranks.holder = table3_ranks.holder
    inner join releases on releases.table3_month = releases.table5_month
    {%- for figure, against in [
        ('treasuries_position_usd_bn', 'long_term_usd_bn'),
        ('treasuries_net_purchases_usd_bn', 'long_term_net_purchases_usd_bn'),
        ('treasuries_valuation_usd_bn', 'valuation_usd_bn'),
    ] %}
    union all
    select
        'table1_against_table3' as reconciliation,
        table3.month_end_date as period_end_date,
        table3.holder as series,
        '{{ against }}' as measure,
        table1.{{ figure }} as figure,
        table3.{{ against }} as against,
        0 as tolerance
    from table1
    inner join table3
        on
            table1.month_end_date = table3.month_end_date
            and table1.holder_code = table3.holder_code
    inner join releases on releases.table3_month = releases.table1_month
    {%- endfor %}
    union all
    select
        'holders_against_total' as reconciliation,
        group_sums.month_end_date as period_end_date,
        'table3: ' || group_sums.members as series,
        'position_usd_bn' as measure,
        group_sums.parts as figure,
        table3.position_usd_bn as against,
        0.005 as tolerance
    from group_sums
    left join table3
        on
            group_sums.month_end_date = table3.month_end_date
            and group_sums.holder = table3.holder
    {%- for file, tolerance in [('table5', 0.5), ('mfhhis01', 1)] %}
    union all
    select
        'holders_against_total' as reconciliation,
        month_end_date as period_end_date,
        '{{ file }}: holders' as series,
        'position_usd_bn' as measure,
        round(sum(position_usd_bn) filter (where holder_kind in ('country', 'region', 'other')), 1) as figure,
        max(position_usd_bn) filter (where holder_kind = 'total') as against,
        {{ tolerance }} as tolerance
    from {{ file }}
    {%- if file == 'mfhhis01' %}
    where is_primary
    {%- endif %}
    group by month_end_date
    {%- endfor %}
    union all
    select
        if(mfhhis01.holder_kind in ('country', 'total'), '', 'official_') || 'table3_against_mfhhis01'
            as reconciliation,
        table3_figures.month_end_date as period_end_date,
        table3_figures.holder as series,
        'position_usd_bn' as measure,
        table3_figures.position_usd_bn as figure,
        mfhhis01.position_usd_bn as against,
        0.05 as tolerance
    from table3_figures
    inner join mfhhis01 on table3_figures.month_end_date = mfhhis01.month_end_date
    left join names on mfhhis01.holder_label = names.label
    where
        mfhhis01.is_primary
        and table3_figures.holder = coalesce(names.holder, mfhhis01.holder_label)
        -- Table 3 suppresses totals that mfhhis01 shows: Poland's.
        and table3_figures.position_usd_bn is not null
        and mfhhis01.position_usd_bn is not null
    union all
    select
        'flows_net_against_gross' as reconciliation,
        period_end_date,
        source_table || ': ' || {{ flow_key }} as series,
        'net_jpy_bn' as measure,
        net_jpy_bn as figure,
        acquisition_jpy_bn - disposition_jpy_bn as against,
        if(investor_type = 'other_financial_corporations', 0.5, 0.2) as tolerance
    from flows
    where acquisition_jpy_bn is not null
    union all
    select
        'flows_investors_against_all' as reconciliation,
        period_end_date,
        'foreign long-term debt' as series,
        measure,
        max(amount) filter (where source_table = 'monthb3') as figure,
        max(amount) filter (where source_table = 'montha1') as against,
        0 as tolerance
    from monthly_flows
    unpivot (amount for measure in (acquisition_jpy_bn, disposition_jpy_bn, net_jpy_bn))
    where
        direction = 'outward'
        and security_type = 'long_term_debt'
        and investor_type = 'all'
    group by period_end_date, measure
    union all
    select
        'flows_weeks_contiguous' as reconciliation,
        period_end_date,
        'weeks' as series,
        'days_since_week_before' as measure,
        period_start_date - lag(period_end_date, 1, period_start_date - 1) over (order by period_end_date) as figure,
        1 as against,
        0 as tolerance
    from weeks
    {%- for side in ['acquisition', 'disposition'] %}
    union all
    select
        'flows_weeks_against_months' as reconciliation,
        period_end_date,
        direction || ' ' || security_type || ', 12 months' as series,
        '{{ side }}_jpy_bn' as measure,
        round(weekly_{{ side }}_jpy_bn, 1) as figure,
        round(monthly_{{ side }}_jpy_bn, 1) as against,
        -- Two compilations: since 2005 they differ by up to 2.3 % over 12 months.
        round(0.04 * monthly_{{ side }}_jpy_bn, 1) as tolerance
    from years
    where months = 12
    {%- endfor %}

),

final as (

    select
        *,
        round(figure - against, 6) as difference,
        (abs(round(figure - against, 6)) <= tolerance) is true as agrees
    from pairs
    where figure is not null or against is not null

)

select * from final
