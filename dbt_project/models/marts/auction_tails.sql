with auctions as (

    select * from {{ ref('int_auctions') }}

),

records as (

    select * from {{ ref('int_auction_records') }}

),

final as (

    select
        auctions.instrument,
        auctions.auction_date,
        auctions.issue_number,
        auctions.issue_date,
        auctions.maturity_date,
        auctions.tenor_years,
        auctions.coupon_pct,
        auctions.offered_jpy_bn,
        auctions.bids_jpy_bn,
        auctions.accepted_jpy_bn,
        auctions.bid_to_cover,
        auctions.average_price,
        auctions.lowest_price,
        auctions.average_yield_pct,
        auctions.highest_yield_pct,
        auctions.tail_price,
        auctions.tail_yield_bp,
        auctions.method,
        longest_tail.since_date as longest_tail_since_date,
        lowest_cover.since_date as lowest_cover_since_date,
        auctions.non_competitive_jpy_bn,
        auctions.non_price_1_jpy_bn,
        auctions.non_price_2_jpy_bn,
        auctions.reference_rate_pct,
        auctions.spread_pct,
        'workbook' as source_kind,
        auctions.published_at,
        auctions.first_seen_at,
        auctions.snapshot_sha256,
        auctions.sheet as source_sheet,
        auctions.source_row
    from auctions
    left join records as longest_tail
        on
            auctions.instrument = longest_tail.series
            and auctions.auction_date = longest_tail.at_date
            and longest_tail.kind = 'longest_tail'
    left join records as lowest_cover
        on
            auctions.instrument = lowest_cover.series
            and auctions.auction_date = lowest_cover.at_date
            and lowest_cover.kind = 'lowest_cover'

)

select * from final
