with versions as (

    -- All investors by month are montha1's; a check holds monthb3 to it.
    select * from {{ ref('int_securities_flows') }}
    where source_table <> 'monthb3' or investor_type <> 'all'

),

flows as (

    {{ latest_version(
        'versions', ['frequency', 'period_end_date', 'direction', 'security_type', 'investor_type']
    ) }}

),

first_prints as (

    select
        frequency,
        period_end_date,
        direction,
        security_type,
        investor_type,
        arg_min(net_jpy_bn, first_seen_at) as first_print_jpy_bn,
        greatest(
            count(distinct net_jpy_bn), count(distinct acquisition_jpy_bn), count(distinct disposition_jpy_bn)
        ) > 1 as revised
    from versions
    group by frequency, period_end_date, direction, security_type, investor_type

),

series_breaks as (

    select * from {{ ref('flow_series_breaks') }}

),

final as (

    select
        flows.frequency,
        flows.period_start_date,
        flows.period_end_date,
        flows.direction,
        flows.security_type,
        flows.investor_type,
        flows.acquisition_jpy_bn,
        flows.disposition_jpy_bn,
        flows.net_jpy_bn,
        first_prints.first_print_jpy_bn,
        first_prints.revised,
        series_breaks.first_date is not null as series_break,
        flows.published_at,
        flows.first_seen_at,
        flows.source_table,
        flows.snapshot_sha256,
        flows.source_record
    from flows
    left join first_prints
        on
            flows.frequency = first_prints.frequency
            and flows.period_end_date = first_prints.period_end_date
            and flows.direction = first_prints.direction
            and flows.security_type = first_prints.security_type
            and flows.investor_type = first_prints.investor_type
    left join series_breaks
        on
            flows.security_type = series_breaks.security_type
            and series_breaks.investor_type in ('any', flows.investor_type)
            and series_breaks.first_date between flows.period_start_date and flows.period_end_date

)

select * from final
