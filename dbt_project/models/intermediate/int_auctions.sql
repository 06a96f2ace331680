with results as (

    select * from {{ ref('int_auction_results') }}

),

instruments as (

    select * from {{ ref('jgb_instruments') }}

),

rules as (

    select * from {{ ref('auction_yield_rules') }}

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
        case when results.average_price is null then 'single_price' else 'multiple_price' end as method,
        -- Prices have at most 4 decimals: rounding only drops binary noise.
        round(results.average_price - results.lowest_price, 4) as tail_price,
        {{ bp_from_pct('results.highest_yield_pct - results.average_yield_pct') }} as tail_yield_bp,
        row_number() over (
            partition by results.instrument, results.issue_number, results.maturity_date order by results.auction_date
        ) > 1 as is_reopening,
        -- Bills are known to January 2009 and again from today's pages: what lies between is not there to compare with.
        results.instrument <> 'tbill' or results.source_kind = 'workbook' as has_history
    from results
    left join instruments on results.instrument = instruments.instrument

),

final as (

    select
        measured.*,
        coalesce(rules.yield_convention, 'none') as yield_convention,
        rules.extra_days,
        rules.nominal_years,
        rules.yield_decimals,
        rules.average_price_step
    from measured
    left join rules
        on
            measured.instrument = rules.instrument
            and measured.auction_date >= rules.first_auction_date
            and measured.auction_date <= coalesce(rules.last_auction_date, measured.auction_date)
            and measured.method = coalesce(rules.method, measured.method)

)

select * from final
