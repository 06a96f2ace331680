with versions as (

    {{ as_known('treasury_tic', 'mfhhis01') }}

),

final as (

    select
        month_end_date,
        row_label as holder_label,
        row_kind as holder_kind,
        is_primary,
        series_label,
        position_usd_bn,
        published_at,
        first_seen_at,
        previous_retrieved_at,
        change,
        sha256 as snapshot_sha256
    from versions

)

select * from final
