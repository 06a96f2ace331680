with versions as (

    {{ as_known('treasury_par_yields', 'yields') }}

),

final as (

    select
        obs_date,
        tenor_code,
        tenor_months,
        yield_pct,
        published_at,
        file_role,
        first_seen_at,
        previous_retrieved_at,
        change,
        sha256 as snapshot_sha256,
        source_line
    from versions

)

select * from final
