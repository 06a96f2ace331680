-- Every version of every flow, weekly and monthly, under one set of names.
with week as (

    {{ as_published(ref('stg_mof_securities_flows__week')) }}

),

montha1 as (

    {{ as_published(ref('stg_mof_securities_flows__montha1')) }}

),

monthb3 as (

    {{ as_published(ref('stg_mof_securities_flows__monthb3')) }}

),

flows as (

    select
        'week' as source_table,
        'weekly' as frequency,
        week_start_date as period_start_date,
        week_end_date as period_end_date,
        side,
        asset,
        'all' as investor_type,
        week.* exclude (week_start_date, week_end_date, side, asset)
    from week
    union all by name
    select
        'montha1' as source_table,
        'monthly' as frequency,
        date_trunc('month', month_end_date)::date as period_start_date,
        month_end_date as period_end_date,
        side,
        asset,
        'all' as investor_type,
        montha1.* exclude (month_end_date, side, asset)
    from montha1
    union all by name
    select
        'monthb3' as source_table,
        'monthly' as frequency,
        date_trunc('month', month_end_date)::date as period_start_date,
        month_end_date as period_end_date,
        'outward' as side,
        'lt_debt' as asset,
        investor as investor_type,
        monthb3.* exclude (month_end_date, investor)
    from monthb3

),

final as (

    select
        * exclude (side, asset),
        side as direction,
        case asset when 'lt_debt' then 'long_term_debt' when 'st_debt' then 'short_term_debt' else asset end
            as security_type
    from flows

)

select * from final
