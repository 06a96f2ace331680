with yields as (

    select * from {{ ref('int_jgb_yields') }}

),

final as (

    select
        obs_date,
        {%- for tenor in [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 15, 20, 25, 30, 40] %}
        max(yield_pct) filter (where tenor_years = {{ tenor }}) as yield_{{ tenor }}y_pct,
        {%- endfor %}
        max(published_at) as published_at
    from yields
    group by obs_date

)

select * from final
