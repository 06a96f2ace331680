{#- Values that a result page and the workbook both tell. A page comes first and may not yet know the others. -#}
{%- set told_by_both = [
    'issue_number', 'issue_date', 'maturity_date', 'coupon_pct', 'bids_jpy_bn', 'accepted_jpy_bn', 'average_price',
    'average_yield_pct', 'lowest_price', 'highest_yield_pct'
] -%}
{%- set may_come_later = ['non_competitive_jpy_bn', 'non_price_1_jpy_bn', 'non_price_2_jpy_bn'] -%}
with sheets as (

    {{ latest_version(ref('stg_mof_jgb_auctions__auctions'), ['sheet', 'auction_date']) }}

),

pages as (

    {{ latest_version(ref('stg_mof_auction_pages__results'), ['instrument', 'auction_date']) }}

),

second_pages as (

    {{ latest_version(ref('stg_mof_auction_pages__non_price_2'), ['instrument', 'auction_date']) }}

),

instruments as (

    select * from {{ ref('jgb_instruments') }}

),

workbook as (

    select
        instruments.instrument,
        sheets.*
    from sheets
    inner join instruments on sheets.sheet = instruments.sheet

),

told as (

    select
        pages.* exclude (non_price_2_jpy_bn),
        coalesce(pages.non_price_2_jpy_bn, second_pages.non_price_2_jpy_bn) as non_price_2_jpy_bn
    from pages
    left join second_pages
        on
            pages.instrument = second_pages.instrument
            and pages.auction_date = second_pages.auction_date

),

compared as (

    select
        told.instrument,
        told.auction_date,
        {%- for column in told_by_both + may_come_later %}
        told.{{ column }} as page_{{ column }},
        workbook.{{ column }} as workbook_{{ column }}{{ "," if not loop.last }}
        {%- endfor %}
    from told
    inner join workbook
        on
            told.instrument = workbook.instrument
            and told.auction_date = workbook.auction_date

),

histories as (

    select
        instrument,
        max(auction_date) as last_date
    from workbook
    group by instrument

),

-- The workbook is a history: what lies before its last auction of an instrument and is not in it did not happen.
missing as (

    select
        told.instrument,
        told.auction_date
    from told
    anti join workbook
        on
            told.instrument = workbook.instrument
            and told.auction_date = workbook.auction_date
    inner join histories
        on
            told.instrument = histories.instrument
            and told.auction_date < histories.last_date

),

final as (

    {%- for column in told_by_both + may_come_later %}
    select
        instrument,
        auction_date,
        '{{ column }}' as column_name,
        page_{{ column }}::varchar as page_value,
        workbook_{{ column }}::varchar as workbook_value
    from compared
    where
        page_{{ column }} is distinct from workbook_{{ column }}
        {%- if column in may_come_later %}
        and page_{{ column }} is not null
        {%- endif %}
    union all
    {%- endfor %}
    select
        instrument,
        auction_date,
        'the auction' as column_name,
        'published' as page_value,
        'none' as workbook_value
    from missing

)

select * from final
