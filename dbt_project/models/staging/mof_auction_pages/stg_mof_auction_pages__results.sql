with versions as (

    {{ as_known('mof_auction_pages', 'results') }}

),

final as (

    select
        instrument,
        auction_date,
        issue_number,
        issue_date,
        maturity_date,
        coupon_pct,
        bids_jpy_bn,
        accepted_jpy_bn,
        average_price,
        average_yield_pct,
        lowest_price,
        highest_yield_pct,
        allotment_at_lowest_pct,
        non_competitive_jpy_bn,
        non_price_1_jpy_bn,
        non_price_2_jpy_bn,
        average_spread_pct,
        highest_spread_pct,
        published_at,
        first_seen_at,
        change,
        sha256 as snapshot_sha256
    from versions

)

select * from final
