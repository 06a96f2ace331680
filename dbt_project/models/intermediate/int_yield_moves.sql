with yields as (

    select * from {{ ref('int_jgb_yields') }}

),

changes as (
{% for sessions in move_sessions() %}
    select
        obs_date,
        tenor_years,
        {{ sessions }} as sessions,
        change_{{ sessions }}d_bp as change_bp
    from yields
    {{ "union all" if not loop.last }}
{%- endfor %}

),

moves as (

    select
        *,
        if(change_bp > 0, 'rise', 'fall') as direction,
        abs(change_bp) as size_bp
    from changes
    where change_bp <> 0

),

final as (

    select
        obs_date,
        tenor_years,
        sessions,
        direction,
        direction || '_' || sessions || 'd' as kind,
        size_bp,
        rank(order by size_bp desc) over so_far as move_rank,
        count(*) over so_far as moves_so_far
    from moves
    window
        so_far as (
            partition by tenor_years, sessions, direction
            order by obs_date rows between unbounded preceding and current row
        )

)

select * from final
