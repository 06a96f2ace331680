with components as (

    select * from {{ ref('stg_analytics__curve_components') }}

),

final as (

    select
        tenor_set || '_' || period as "window",
        tenor_set,
        period,
        component,
        tenor_years,
        loading,
        explained_pct,
        n_obs,
        -- before first_date: a dataset's first date column tells how new it is
        last_date,
        first_date
    from components

)

select * from final
