with versions as (

    {{ as_published(ref('stg_treasury_tic__table1')) }}
    -- Japan's code in the TIC files.
    where versions.holder_code = '42609'

),

table1 as (

    {{ latest_version('versions', ['month_end_date']) }}

),

first_prints as (

    select
        month_end_date,
        {%- for security_type in us_security_types().values() %}
        arg_min({{ security_type }}_position_usd_bn, first_seen_at) as {{ security_type }}_usd_bn
        {{- "," if not loop.last }}
        {%- endfor %}
    from versions
    group by month_end_date

),

securities as (
{% for security_type in us_security_types().values() %}
    select
        table1.month_end_date,
        '{{ security_type }}' as security_type,
        table1.{{ security_type }}_position_usd_bn as position_usd_bn,
        first_prints.{{ security_type }}_usd_bn as first_print_usd_bn,
        table1.{{ security_type }}_net_purchases_usd_bn as net_purchases_usd_bn,
        table1.{{ security_type }}_valuation_usd_bn as valuation_usd_bn,
        table1.published_at,
        table1.first_seen_at,
        table1.snapshot_sha256
    from table1
    inner join first_prints on table1.month_end_date = first_prints.month_end_date
    {{ "union all" if not loop.last }}
{%- endfor %}

),

changes as (

    select
        *,
        case
            when lag(month_end_date) over by_type = last_day(month_end_date - interval 1 month)
                then round(position_usd_bn - lag(position_usd_bn) over by_type, 3)
        end as change_usd_bn
    from securities
    window by_type as (partition by security_type order by month_end_date)

),

final as (

    select
        month_end_date,
        security_type,
        position_usd_bn,
        first_print_usd_bn,
        change_usd_bn,
        net_purchases_usd_bn,
        valuation_usd_bn,
        round(change_usd_bn - net_purchases_usd_bn - valuation_usd_bn, 3) as other_usd_bn,
        published_at,
        first_seen_at,
        snapshot_sha256
    from changes

)

select * from final
