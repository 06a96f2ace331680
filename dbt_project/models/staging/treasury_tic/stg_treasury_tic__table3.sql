with versions as (

    {{ as_known('treasury_tic', 'table3') }}

),

final as (

    select
        month_end_date,
        holder_code,
        holder_name as holder,
        holder_kind,
        {{ usd_bn_from_mn('for_treas_pos') }} as position_usd_bn,
        {{ usd_bn_from_mn('for_treas_net') }} as net_purchases_usd_bn,
        {{ usd_bn_from_mn('for_lt_treas_pos') }} as long_term_usd_bn,
        {{ usd_bn_from_mn('for_lt_treas_net') }} as long_term_net_purchases_usd_bn,
        {{ usd_bn_from_mn('for_lt_treas_valchg') }} as valuation_usd_bn,
        {{ usd_bn_from_mn('for_st_treas_pos') }} as short_term_usd_bn,
        {{ usd_bn_from_mn('for_st_treas_net') }} as short_term_net_purchases_usd_bn,
        published_at,
        first_seen_at,
        previous_retrieved_at,
        change,
        sha256 as snapshot_sha256
    from versions

)

select * from final
