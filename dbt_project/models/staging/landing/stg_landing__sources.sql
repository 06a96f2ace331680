with registry as (

    select * from {{ source('landing', 'sources') }}

),

final as (

    select
        source,
        title,
        producer,
        homepage,
        licence,
        citation,
        cadence
    from registry

)

select * from final
