with versions as (

    {{ as_known('mof_jgb_auctions', 'auctions') }}

),

final as (

    select
        sheet,
        issue_number,
        term_label,
        auction_date,
        issue_date,
        maturity_date,
        coupon_pct,
        {{ jpy_bn_from_100mn('offered_jpy_100mn') }} as offered_jpy_bn,
        {{ jpy_bn_from_100mn('bids_jpy_100mn') }} as bids_jpy_bn,
        {{ jpy_bn_from_100mn('accepted_jpy_100mn') }} as accepted_jpy_bn,
        average_price,
        average_yield_pct,
        lowest_price,
        highest_yield_pct,
        {{ jpy_bn_from_100mn('noncompetitive_jpy_100mn') }} as non_competitive_jpy_bn,
        {{ jpy_bn_from_100mn('non_price_1_jpy_100mn') }} as non_price_1_jpy_bn,
        {{ jpy_bn_from_100mn('non_price_2_jpy_100mn') }} as non_price_2_jpy_bn,
        reference_rate_pct,
        spread_pct,
        published_at,
        first_seen_at,
        change,
        sha256 as snapshot_sha256,
        source_row
    from versions

)

select * from final
