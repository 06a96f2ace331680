with curve_components as (

    select * from {{ source('analytics', 'curve_components') }}

),

final as (

    select * from curve_components

)

select * from final
