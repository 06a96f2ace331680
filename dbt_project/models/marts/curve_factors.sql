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
        first_date,
        last_date  -- last: a dataset without a date in its key is as new as its last date column
    from components

)

select * from final
