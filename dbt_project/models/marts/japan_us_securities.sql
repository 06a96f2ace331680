with table1 as (

    {{ latest_version(ref('stg_treasury_tic__table1'), ['month_end_date', 'holder_code']) }}

),

-- 42609 is Japan's code in the TIC files.
securities as (
{% for security_type in ['total', 'treasuries', 'agencies', 'corporates', 'equities'] %}
    select
        month_end_date,
        '{{ security_type }}' as security_type,
        {{ security_type }}_position_usd_bn as position_usd_bn,
        {{ security_type }}_net_purchases_usd_bn as net_purchases_usd_bn,
        {{ security_type }}_valuation_usd_bn as valuation_usd_bn,
        first_seen_at,
        snapshot_sha256
    from table1
    where holder_code = '42609'
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
        change_usd_bn,
        net_purchases_usd_bn,
        valuation_usd_bn,
        round(change_usd_bn - net_purchases_usd_bn - valuation_usd_bn, 3) as other_usd_bn,
        first_seen_at,
        snapshot_sha256
    from changes

)

select * from final
