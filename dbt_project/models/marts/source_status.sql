with sources as (

    select * from {{ ref('stg_landing__sources') }}

),

ledger as (

    select * from {{ ref('stg_landing__ledger') }}

),

newest as (

    select *
    from ledger
    qualify row_number() over (partition by source order by retrieved_at desc, role asc) = 1

),

counts as (

    select
        source,
        count(*)::integer as snapshots
    from ledger
    group by source

),

final as (

    select
        sources.source,
        sources.title,
        newest.newest_observation_date,
        newest.next_expected_at,
        newest.retrieved_at as last_changed_at,
        coalesce(counts.snapshots, 0) as snapshots
    from sources
    left join newest on sources.source = newest.source
    left join counts on sources.source = counts.source

)

select * from final
