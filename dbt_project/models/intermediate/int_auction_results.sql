with sheets as (

    {{ latest_version(ref('stg_mof_jgb_auctions__auctions'), ['sheet', 'auction_date']) }}

),

pages as (

    {{ latest_version(ref('stg_mof_auction_pages__results'), ['instrument', 'auction_date']) }}

),

-- An amount that a page once told stands, though a later one (in the other language) has no place for it.
told as (

    select
        instrument,
        auction_date,
        max_by(non_price_2_jpy_bn, first_seen_at) as non_price_2_jpy_bn
    from {{ ref('stg_mof_auction_pages__results') }}
    where non_price_2_jpy_bn is not null
    group by instrument, auction_date

),

second_pages as (

    {{ latest_version(ref('stg_mof_auction_pages__non_price_2'), ['instrument', 'auction_date']) }}

),

instruments as (

    select * from {{ ref('jgb_instruments') }}

),

clock as (

    select * from {{ source('landing', 'clock') }}

),

workbook as (

    select
        'workbook' as source_kind,
        instruments.instrument,
        sheets.*
    from sheets
    inner join instruments on sheets.sheet = instruments.sheet

),

-- The second page comes in the afternoon; until it does, nothing is known of the non-price-competitive auction II.
result_pages as (

    select
        'result_page' as source_kind,
        pages.* exclude (non_price_2_jpy_bn, first_seen_at),
        coalesce(second_pages.non_price_2_jpy_bn, told.non_price_2_jpy_bn) as non_price_2_jpy_bn,
        greatest(pages.first_seen_at, second_pages.first_seen_at) as first_seen_at
    from pages
    cross join clock
    left join told
        on
            pages.instrument = told.instrument
            and pages.auction_date = told.auction_date
    left join second_pages
        on
            pages.instrument = second_pages.instrument
            and pages.auction_date = second_pages.auction_date
    where clock.includes_unverified or pages.instrument not in {{ unverified_instruments() }}

),

-- Only pages tell the allotment at the lowest price: it stays when the workbook catches up.
caught_up as (

    select
        workbook.*,
        result_pages.allotment_at_lowest_pct
    from workbook
    left join result_pages
        on
            workbook.instrument = result_pages.instrument
            and workbook.auction_date = result_pages.auction_date

),

not_yet as (

    select result_pages.*
    from result_pages
    anti join workbook
        on
            result_pages.instrument = workbook.instrument
            and result_pages.auction_date = workbook.auction_date

),

final as (

    select * exclude (change) from caught_up
    union all by name
    select * exclude (change) from not_yet

)

select * from final
