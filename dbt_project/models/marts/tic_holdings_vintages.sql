with positions as (

    select * from {{ ref('int_tic_positions') }}

),

-- A revision is measured inside one file: the same figure rounded otherwise in another file is none.
revisions as (

    select
        *,
        round(position_usd_bn - lag(position_usd_bn) over by_figure, 3) as revision_usd_bn
    from positions
    window by_figure as (partition by source_table, month_end_date, holder order by first_seen_at)

),

final as (

    select
        month_end_date,
        holder,
        first_seen_at as seen_at,
        position_usd_bn,
        revision_usd_bn,
        source_table,
        snapshot_sha256
    from revisions
    qualify row_number() over (partition by month_end_date, holder, first_seen_at order by preference) = 1

)

select * from final
