with positions as (

    select * from {{ ref('int_tic_positions') }}

),

months as (

    select
        month_end_date,
        preference,
        min(first_seen_at) as first_shown_at
    from positions
    group by month_end_date, preference

),

-- A file speaks for a month until a more detailed one shows it: that is how tic_holdings chooses.
in_force as (

    select positions.*
    from positions
    where not exists (
        select 1
        from months
        where
            positions.month_end_date = months.month_end_date
            and positions.preference > months.preference
            and positions.first_seen_at >= months.first_shown_at
    )

),

-- A revision is measured inside one file: the same figure rounded otherwise in another file is none.
final as (

    select
        month_end_date,
        holder,
        first_seen_at as seen_at,
        position_usd_bn,
        round(position_usd_bn - lag(position_usd_bn) over by_figure, 3) as revision_usd_bn,
        source_table,
        snapshot_sha256
    from in_force
    window by_figure as (partition by source_table, month_end_date, holder order by first_seen_at)

)

select * from final
