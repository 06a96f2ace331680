with versions as (

    {{ as_known('mof_auction_pages', 'calendar') }}

),

final as (

    select
        auction_date,
        security,
        instrument,
        issue_number,
        has_result,
        has_non_price_2,
        first_seen_at,
        change,
        sha256 as snapshot_sha256
    from versions

)

select * from final
