with ledger as (

    {{ as_known('landing', 'ledger', seen='retrieved_at') }}

),

final as (

    select
        source,
        role,
        url,
        retrieved_at,
        sha256 as snapshot_sha256,
        newest_observation_date,
        next_expected_at
    from ledger

)

select * from final
