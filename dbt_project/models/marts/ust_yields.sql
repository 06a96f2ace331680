with yields as (

    {{ latest_version(ref('int_ust_yields'), ['obs_date', 'tenor_code']) }}

),

final as (

    select
        obs_date,
        tenor_months,
        tenor_code,
        yield_pct,
        published_at,
        first_seen_at,
        snapshot_sha256,
        source_line
    from yields

)

select * from final
