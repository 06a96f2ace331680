with versions as (

    {{ as_known('treasury_tic', 'table1') }}

),

final as (

    select
        month_end_date,
        holder_code,
        holder_name as holder,
        {%- for published, name in us_security_types().items() %}
        {{ usd_bn_from_mn('for_lt_%s_pos' % published) }} as {{ name }}_position_usd_bn,
        {{ usd_bn_from_mn('for_lt_%s_net' % published) }} as {{ name }}_net_purchases_usd_bn,
        {{ usd_bn_from_mn('for_lt_%s_valchg' % published) }} as {{ name }}_valuation_usd_bn,
        {%- endfor %}
        published_at,
        first_seen_at,
        previous_retrieved_at,
        change,
        sha256 as snapshot_sha256
    from versions

)

select * from final
