with versions as (

    {{ as_published(ref('stg_mof_jgb_yields__yields'), unless="versions.file_kind = 'history'") }}

),

latest as (

    {{ latest_version('versions', ['obs_date', 'tenor_years']) }}

),

-- A session is a row of the publisher's file: changes run from row to row, and end where a tenor has no value.
numbered as (

    select
        *,
        dense_rank() over (order by obs_date) as session_number
    from latest

),

final as (

    select
        obs_date,
        tenor_years,
        yield_pct,
        session_number,
        {%- for sessions in move_sessions() %}
        case
            when session_number - lag(session_number, {{ sessions }}) over tenor = {{ sessions }}
                then {{ bp_from_pct('yield_pct - lag(yield_pct, %d) over tenor' % sessions) }}
        end as change_{{ sessions }}d_bp,
        {%- endfor %}
        published_at,
        first_seen_at,
        snapshot_sha256,
        source_line
    from numbered
    window tenor as (partition by tenor_years order by obs_date)

)

select * from final
