-- Japan's newest known holdings of Treasuries, after each publication.
with versions as (

    select * from {{ ref('int_tic_positions') }}
    where holder = 'Japan'

),

publications as (

    select distinct published_at from versions

),

-- Older months than the newest that is known play no part.
known as (

    select
        publications.published_at,
        versions.month_end_date,
        versions.preference,
        arg_max_null(versions.position_usd_bn, versions.published_at) as position_usd_bn,
        arg_max(versions.source_table, versions.published_at) as source_table,
        arg_max(versions.change, versions.published_at) as change,
        max(versions.published_at) as position_published_at
    from publications
    inner join versions on publications.published_at >= versions.published_at
    group by publications.published_at, versions.month_end_date, versions.preference

),

final as (

    select
        published_at,
        month_end_date,
        position_usd_bn,
        source_table,
        position_published_at
    from known
    where change <> 'withdrawn'
    qualify row_number() over (partition by published_at order by month_end_date desc, preference asc) = 1

)

select * from final
