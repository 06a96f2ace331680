with versions as (

    {{ as_known('mof_auction_pages', 'non_price_2') }}

),

final as (

    select
        instrument,
        auction_date,
        issue_number,
        non_price_2_jpy_bn,
        published_at,
        first_seen_at,
        change,
        sha256 as snapshot_sha256
    from versions

)

select * from final
