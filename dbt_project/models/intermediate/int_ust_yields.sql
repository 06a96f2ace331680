with versions as (

    {{ as_published(ref('stg_treasury_par_yields__yields')) }}

)

select * from versions
