{#- What a calendar lists, whose time has come, and of which no result is known: not there yet is not "none". -#}
with listed as (

    {{ latest_version(ref('stg_mof_auction_pages__calendar'), ['auction_date', 'security']) }}

),

results as (

    select * from {{ ref('int_auction_results') }}

),

-- What the workbook passed over was moved or called off.
histories as (

    select
        instrument,
        max(auction_date) as last_date
    from results
    where source_kind = 'workbook'
    group by instrument

),

clock as (

    select * from {{ source('landing', 'clock') }}

),

final as (

    select
        listed.auction_date,
        listed.instrument,
        listed.security,
        listed.issue_number,
        listed.has_result as is_linked
    from listed
    cross join clock
    left join histories on listed.instrument = histories.instrument
    anti join results
        on
            listed.auction_date = results.auction_date
            and listed.instrument = results.instrument
    where
        listed.instrument <> 'liquidity_enhancement'
        and listed.auction_date > coalesce(histories.last_date, date '1970-01-01')
        -- Results are out at 12:35 in Tokyo.
        and listed.auction_date + interval '12 hours 35 minutes' < clock.now_at at time zone 'Asia/Tokyo'
)

select * from final
