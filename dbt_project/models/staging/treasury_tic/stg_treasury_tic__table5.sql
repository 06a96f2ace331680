with versions as (

    {{ as_known('treasury_tic', 'table5') }}

),

final as (

    select
        month_end_date,
        row_label as holder,
        row_kind as holder_kind,
        position_usd_bn,
        published_at,
        first_seen_at,
        previous_retrieved_at,
        change,
        sha256 as snapshot_sha256
    from versions

)

select * from final
