with versions as (

    {{ as_known('mof_jgb_yields', 'yields') }}

),

final as (

    select
        obs_date,
        tenor_years,
        yield_pct,
        published_at,
        file_kind,
        first_seen_at,
        previous_retrieved_at,
        change,
        sha256 as snapshot_sha256,
        source_line
    from versions

)

select * from final
