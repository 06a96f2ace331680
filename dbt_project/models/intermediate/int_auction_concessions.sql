with auctions as (

    select * from {{ ref('int_auctions') }}

),

auction_yields as (

    select * from {{ ref('int_auction_yields') }}

),

yields as (

    select * from {{ ref('int_jgb_yields') }}

),

curve as (

    select
        obs_date,
        tenor_years,
        yield_pct,
        session_number,
        change_5d_bp,
        if(lead(session_number, 5) over tenor - session_number = 5, lead(change_5d_bp, 5) over tenor, null)
            as next_5d_change_bp
    from yields
    window tenor as (partition by tenor_years order by obs_date)

),

compared as (

    select
        auctions.instrument,
        auctions.auction_date,
        on_the_day.yield_pct,
        on_the_day.change_5d_bp,
        on_the_day.next_5d_change_bp,
        -- Until the curve of the day is out, the last one is that of the day before if no weekday lies between.
        if(
            coalesce(
                on_the_day.session_number - before.session_number = 1,
                auctions.auction_date - before.obs_date = if(isodow(auctions.auction_date) = 1, 3, 1)
            ),
            before.yield_pct,
            null
        ) as day_before_pct
    from auctions
    left join curve as on_the_day
        on
            auctions.auction_date = on_the_day.obs_date
            and auctions.curve_tenor_years = on_the_day.tenor_years
    asof left join curve as before
        on
            auctions.curve_tenor_years = before.tenor_years
            and auctions.auction_date > before.obs_date

),

final as (

    select
        compared.instrument,
        compared.auction_date,
        compared.yield_pct as curve_yield_pct,
        {%- for side, column in {'': 'highest_compound_pct', 'average_': 'average_compound_pct'}.items() %}
        {{ bp_from_pct('auction_yields.%s - compared.yield_pct' % column) }} as {{ side }}concession_bp,
        {{ bp_from_pct('auction_yields.%s - compared.day_before_pct' % column) }} as {{ side }}concession_day_before_bp,
        {%- endfor %}
        compared.change_5d_bp as yield_change_5d_into_bp,
        compared.next_5d_change_bp as yield_change_5d_after_bp
    from compared
    inner join auction_yields
        on
            compared.instrument = auction_yields.instrument
            and compared.auction_date = auction_yields.auction_date

)

select * from final
