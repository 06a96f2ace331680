with auctions as (

    select * from {{ ref('int_auctions') }}

),

yields as (

    select * from {{ ref('int_auction_yields') }}

),

ranks as (

    select * from {{ ref('int_auction_ranks') }}

),

records as (

    select * from {{ ref('int_auction_records') }}

),

concessions as (

    select * from {{ ref('int_auction_concessions') }}

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
        auctions.source_kind,
        auctions.published_at,
        auctions.first_seen_at,
        auctions.snapshot_sha256,
        auctions.sheet as source_sheet,
        auctions.source_row,
        auctions.is_reopening,
        if(auctions.tail_yield_bp is null, null, 100 * power(10, -auctions.yield_decimals)) as tail_yield_precision_bp,
        auctions.bids_to_offered,
        auctions.allotment_at_lowest_pct,
        auctions.yield_convention,
        yields.average_compound_pct,
        yields.highest_compound_pct,
        yields.tail_compound_bp,
        if(auctions.instrument = '40y', concessions.concession_bp, null) as clearing_gap_bp,
        ranks.tail_prior6_mean_bp,
        ranks.tail_prior12_mean_bp,
        ranks.tail_compound_prior6_mean_bp,
        ranks.tail_compound_prior12_mean_bp,
        ranks.tail_prior6_z,
        ranks.tail_prior12_z,
        ranks.tail_rank::integer as tail_rank,
        ranks.tail_n::integer as tail_n,
        ranks.tail_pctile,
        ranks.bid_to_cover_prior6_mean,
        ranks.bid_to_cover_prior12_mean,
        ranks.bid_to_cover_prior6_z,
        ranks.bid_to_cover_prior12_z,
        ranks.bid_to_cover_rank::integer as bid_to_cover_rank,
        ranks.bid_to_cover_n::integer as bid_to_cover_n,
        ranks.bid_to_cover_pctile,
        concessions.curve_yield_pct,
        concessions.concession_bp,
        concessions.concession_day_before_bp,
        concessions.average_concession_bp,
        concessions.average_concession_day_before_bp,
        concessions.yield_change_5d_into_bp,
        concessions.yield_change_5d_after_bp,
        auctions.average_spread_pct,
        auctions.highest_spread_pct
    from auctions
    inner join yields
        on
            auctions.instrument = yields.instrument
            and auctions.auction_date = yields.auction_date
    left join ranks
        on
            auctions.instrument = ranks.instrument
            and auctions.auction_date = ranks.auction_date
    left join concessions
        on
            auctions.instrument = concessions.instrument
            and auctions.auction_date = concessions.auction_date
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
