{%- set columns = ['extreme_rank', 'values_so_far', 'since_date'] -%}
with yields as (

    select * from {{ ref('int_jgb_yields') }}

),

records as (

    select * from {{ ref('int_yield_records') }}

),

moves as (

    select
        series,
        at_date,
        {%- for sessions in move_sessions() %}
        {%- for direction in ['rise', 'fall'] %}
        {%- for column in columns %}
        max({{ column }}) filter (where kind = '{{ direction }}_{{ sessions }}d')
            as {{ direction }}_{{ sessions }}d_{{ column }}{{ "," if not loop.last }}
        {%- endfor %}{{ "," if not loop.last }}
        {%- endfor %}{{ "," if not loop.last }}
        {%- endfor %}
    from records
    group by series, at_date

),

final as (

    select
        yields.obs_date,
        yields.tenor_years,
        {%- for sessions in move_sessions() %}
        yields.change_{{ sessions }}d_bp,
        {%- for direction in ['rise', 'fall'] %}
        moves.{{ direction }}_{{ sessions }}d_extreme_rank as {{ direction }}_{{ sessions }}d_rank,
        moves.{{ direction }}_{{ sessions }}d_values_so_far as {{ direction }}_{{ sessions }}d_n,
        moves.{{ direction }}_{{ sessions }}d_since_date as larger_{{ direction }}_{{ sessions }}d_date{{ "," if not loop.last }}
        {%- endfor %}{{ "," if not loop.last }}
        {%- endfor %}
    from yields
    left join moves
        on
            yields.tenor_years::varchar = moves.series
            and yields.obs_date = moves.at_date

)

select * from final
