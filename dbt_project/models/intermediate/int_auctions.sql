with versions as (

    {{ latest_version(ref('stg_mof_jgb_auctions__auctions'), ['sheet', 'auction_date']) }}

),

instruments as (

    select * from {{ ref('jgb_instruments') }}

),

final as (

    select
        instruments.instrument,
        versions.issue_number,
        versions.auction_date,
        versions.issue_date,
        versions.maturity_date,
        versions.coupon_pct,
        versions.offered_jpy_bn,
        versions.bids_jpy_bn,
        versions.accepted_jpy_bn,
        versions.average_price,
        versions.average_yield_pct,
        versions.lowest_price,
        versions.highest_yield_pct,
        versions.non_competitive_jpy_bn,
        versions.non_price_1_jpy_bn,
        versions.non_price_2_jpy_bn,
        versions.reference_rate_pct,
        versions.spread_pct,
        versions.published_at,
        versions.first_seen_at,
        versions.snapshot_sha256,
        versions.sheet,
        versions.source_row,
        -- Of a bill the term label, such as 6-month or 1-year.
        coalesce(
            instruments.tenor_years,
            try_cast(regexp_extract(versions.term_label, '(\d+)-year', 1) as double),
            try_cast(regexp_extract(versions.term_label, '(\d+)-month', 1) as double) / 12
        ) as tenor_years,
        -- The ratio of the published integers: equal covers are equal numbers.
        versions.bids_jpy_100mn / versions.accepted_jpy_100mn as bid_to_cover,
        case when versions.average_price is null then 'single_price' else 'multiple_price' end as method,
        -- Prices have at most 4 decimals: rounding only drops binary noise.
        round(versions.average_price - versions.lowest_price, 4) as tail_price,
        {{ bp_from_pct('versions.highest_yield_pct - versions.average_yield_pct') }} as tail_yield_bp
    from versions
    inner join instruments on versions.sheet = instruments.sheet

)

select * from final
