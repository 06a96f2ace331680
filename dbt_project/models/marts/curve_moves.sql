with yields as (

    select * from {{ ref('int_jgb_yields') }}

),

moves as (

    select * from {{ ref('int_yield_moves') }}

),

records as (

    select * from {{ ref('int_move_records') }}

),

dated_moves as (

    select
        moves.*,
        records.since_date
    from moves
    left join records
        on
            moves.obs_date = records.at_date
            and moves.tenor_years::varchar = records.series
            and moves.kind = records.kind

),

ranks as (

    select
        obs_date,
        tenor_years,
        {%- for sessions in move_sessions() %}
        {%- for direction in ['rise', 'fall'] %}
        {%- set is_it = "filter (where kind = '%s_%dd')" % (direction, sessions) %}
        max(move_rank) {{ is_it }} as {{ direction }}_{{ sessions }}d_rank,
        max(moves_so_far) {{ is_it }} as {{ direction }}_{{ sessions }}d_n,
        max(since_date) {{ is_it }} as {{ direction }}_{{ sessions }}d_since_date{{ "," if not loop.last }}
        {%- endfor %}{{ "," if not loop.last }}
        {%- endfor %}
    from dated_moves
    group by obs_date, tenor_years

),

final as (

    select
        yields.obs_date,
        yields.tenor_years,
        {%- for sessions in move_sessions() %}
        yields.change_{{ sessions }}d_bp,
        {%- for direction in ['rise', 'fall'] %}
        ranks.{{ direction }}_{{ sessions }}d_rank::integer as {{ direction }}_{{ sessions }}d_rank,
        ranks.{{ direction }}_{{ sessions }}d_n::integer as {{ direction }}_{{ sessions }}d_n,
        ranks.{{ direction }}_{{ sessions }}d_since_date{{ "," if not loop.last }}
        {%- endfor %}{{ "," if not loop.last }}
        {%- endfor %}
    from yields
    left join ranks
        on
            yields.obs_date = ranks.obs_date
            and yields.tenor_years = ranks.tenor_years

)

select * from final
