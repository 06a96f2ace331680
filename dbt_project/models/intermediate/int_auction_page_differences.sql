{#- Values that a result page and the workbook both tell. A page comes first and may not yet know the others. -#}
{%- set told_by_both = [
    'issue_number', 'issue_date', 'maturity_date', 'coupon_pct', 'bids_jpy_bn', 'accepted_jpy_bn', 'average_price',
    'average_yield_pct', 'lowest_price', 'highest_yield_pct'
] -%}
{%- set may_come_later = ['non_competitive_jpy_bn', 'non_price_1_jpy_bn', 'non_price_2_jpy_bn'] -%}
with pages as (

    {{ latest_version(ref('stg_mof_auction_pages__results'), ['instrument', 'auction_date']) }}

),

second_pages as (

    {{ latest_version(ref('stg_mof_auction_pages__non_price_2'), ['instrument', 'auction_date']) }}

),

exceptions as (

    select * from {{ ref('auction_page_exceptions') }}

),

workbook as (

    select * from {{ ref('int_auction_results') }}
    where source_kind = 'workbook'

),

told as (

    select * from pages
    where instrument not in {{ unverified_instruments() }}

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

differences as (

    {%- for column in told_by_both + may_come_later %}
    select
        instrument,
        auction_date,
        '{{ column }}' as column_name,
        page_{{ column }}::varchar as page_value,
        workbook_{{ column }}::varchar as workbook_value
    from compared
    where
        {%- if column == 'non_competitive_jpy_bn' %}
        -- Pages may print small lots to 0.1 only.
        abs(page_{{ column }} - coalesce(workbook_{{ column }}, -1)) >= 0.1
        {%- elif column in may_come_later %}
        page_{{ column }} <> coalesce(workbook_{{ column }}, -1)
        {%- else %}
        page_{{ column }} is distinct from workbook_{{ column }}
        {%- endif %}
    union all
    {%- endfor %}
    select
        second_pages.instrument,
        second_pages.auction_date,
        'non_price_2_jpy_bn of the second page' as column_name,
        second_pages.non_price_2_jpy_bn::varchar as page_value,
        workbook.non_price_2_jpy_bn::varchar as workbook_value
    from second_pages
    inner join workbook
        on
            second_pages.instrument = workbook.instrument
            and second_pages.auction_date = workbook.auction_date
    where second_pages.non_price_2_jpy_bn <> coalesce(workbook.non_price_2_jpy_bn, -1)
    union all
    select
        instrument,
        auction_date,
        'the auction' as column_name,
        'published' as page_value,
        'none' as workbook_value
    from missing

),

unlisted as (

    select differences.*
    from differences
    anti join exceptions
        on
            differences.instrument = exceptions.instrument
            and differences.auction_date = exceptions.auction_date
            and differences.column_name = exceptions.column_name

),

-- A listed one that starts to agree is to be taken off the list.
agreeing as (

    select
        exceptions.instrument,
        exceptions.auction_date,
        exceptions.column_name,
        'listed in auction_page_exceptions' as page_value,
        'but no difference' as workbook_value
    from exceptions
    semi join compared
        on
            exceptions.instrument = compared.instrument
            and exceptions.auction_date = compared.auction_date
    anti join differences
        on
            exceptions.instrument = differences.instrument
            and exceptions.auction_date = differences.auction_date
            and exceptions.column_name = differences.column_name

),

final as (

    select * from unlisted
    union all
    select * from agreeing

)

select * from final
