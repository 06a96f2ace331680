with results as (

    select * from {{ ref('int_auction_results') }}

),

instruments as (

    select * from {{ ref('jgb_instruments') }}

),

rules as (

    select * from {{ ref('auction_yield_rules') }}

),

pending as (

    select
        instrument,
        min(auction_date) as first_date
    from {{ ref('int_pending_auctions') }}
    group by instrument

),

measured as (

    select
        results.*,
        instruments.curve_tenor_years,
        -- A bill's term as its sheet words it, such as 6-month or 1-year; pages tell the dates only.
        coalesce(
            instruments.tenor_years,
            try_cast(regexp_extract(results.term_label, '(\d+)-year', 1) as double),
            try_cast(regexp_extract(results.term_label, '(\d+)-month', 1) as double) / 12,
            round(12 * (results.maturity_date - results.issue_date) / 365.25) / 12
        ) as tenor_years,
        -- The ratio of whole numbers of 10,000 yen: equal covers are equal numbers, however the amounts were printed.
        round(100000 * results.bids_jpy_bn) / round(100000 * results.accepted_jpy_bn) as bid_to_cover,
        results.bids_jpy_bn / results.offered_jpy_bn as bids_to_offered,
        -- Liquidity-enhancement auctions sort bids by spread, and each bidder pays its own.
        case
            when coalesce(results.average_price, results.average_spread_pct) is null then 'single_price'
            else 'multiple_price'
        end as method,
        -- Prices have at most 4 decimals: rounding only drops binary noise.
        round(results.average_price - results.lowest_price, 4) as tail_price,
        {{ bp_from_pct('results.highest_yield_pct - results.average_yield_pct') }} as tail_yield_bp,
        row_number() over (
            partition by results.instrument, results.issue_number, results.maturity_date order by results.auction_date
        ) > 1 as is_known_issue,
        results.source_kind = 'result_page'
        and results.auction_date - lag(results.auction_date) over auctions_so_far
        > instruments.longest_pause_days as follows_a_hole
    from results
    left join instruments on results.instrument = instruments.instrument
    window auctions_so_far as (partition by results.instrument order by results.auction_date)

),

-- With an auction missing before it, none can be compared with those before.
complete as (

    select
        measured.*,
        not coalesce(
            measured.instrument = 'liquidity_enhancement'
            -- Bills are known to January 2009 and again from today's pages.
            or (measured.instrument = 'tbill' and measured.source_kind = 'result_page')
            or bool_or(measured.follows_a_hole) over (
                partition by measured.instrument order by measured.auction_date
                rows between unbounded preceding and current row
            )
            or (measured.source_kind = 'result_page' and measured.auction_date > pending.first_date),
            false
        ) as has_history
    from measured
    left join pending on measured.instrument = pending.instrument

),

final as (

    select
        complete.* exclude (is_known_issue, follows_a_hole), -- noqa: RF02
        -- An issue that was seen before is reopened; one that was not may have been, where an auction is missing.
        if(complete.is_known_issue or complete.has_history, complete.is_known_issue, null) as is_reopening,
        coalesce(rules.yield_convention, 'none') as yield_convention,
        rules.extra_days,
        rules.nominal_years,
        rules.yield_decimals,
        rules.average_price_step
    from complete
    left join rules
        on
            complete.instrument = rules.instrument
            and complete.auction_date >= rules.first_auction_date
            and complete.auction_date <= coalesce(rules.last_auction_date, complete.auction_date)
            and complete.method = coalesce(rules.method, complete.method)

)

select * from final
