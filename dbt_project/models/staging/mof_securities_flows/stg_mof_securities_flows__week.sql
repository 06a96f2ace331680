with versions as (

    {{ as_known('mof_securities_flows', 'week') }}

),

final as (

    select
        week_start_date,
        week_end_date,
        side,
        asset,
        {{ jpy_bn_from_100mn('acquisition_jpy_100m') }} as acquisition_jpy_bn,
        {{ jpy_bn_from_100mn('disposition_jpy_100m') }} as disposition_jpy_bn,
        {{ jpy_bn_from_100mn('net_jpy_100m') }} as net_jpy_bn,
        published_at,
        first_seen_at,
        previous_retrieved_at,
        change,
        sha256 as snapshot_sha256,
        source_line as source_record
    from versions

)

select * from final
