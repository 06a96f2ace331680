with fitted_curves as (

    select * from {{ source('analytics', 'fitted_curves') }}

),

final as (

    select * from fitted_curves

)

select * from final
