-- Every version of every position, from the three TIC files that show Treasuries by holder.
with table3 as (

    {{ as_published(ref('stg_treasury_tic__table3')) }}

),

table5 as (

    {{ as_published(ref('stg_treasury_tic__table5')) }}

),

mfhhis01 as (

    {{ as_published(ref('stg_treasury_tic__mfhhis01')) }}
    where versions.is_primary

),

names as (

    select * from {{ ref('tic_holder_names') }}

),

newest_names as (

    select
        holder_code,
        arg_max(holder, first_seen_at) as holder
    from table3
    group by holder_code

),

-- A holder that was renamed is the same holder under its newest name, in every file.
renamed as (

    select distinct
        table3.holder as former,
        newest_names.holder
    from table3
    inner join newest_names on table3.holder_code = newest_names.holder_code
    where table3.holder <> newest_names.holder

),

positions as (

    select
        'slt_table3' as source_table,
        1 as preference,
        month_end_date,
        holder,
        holder_kind,
        position_usd_bn,
        net_purchases_usd_bn,
        valuation_usd_bn,
        long_term_usd_bn,
        long_term_net_purchases_usd_bn,
        short_term_usd_bn,
        short_term_net_purchases_usd_bn,
        published_at,
        first_seen_at,
        change,
        snapshot_sha256
    from table3
    union all by name
    select
        'slt_table5' as source_table,
        2 as preference,
        *
    from table5
    union all by name
    select
        'mfhhis01' as source_table,
        3 as preference,
        mfhhis01.month_end_date,
        coalesce(names.holder, mfhhis01.holder_label) as holder,
        mfhhis01.holder_kind,
        mfhhis01.position_usd_bn,
        mfhhis01.published_at,
        mfhhis01.first_seen_at,
        mfhhis01.change,
        mfhhis01.snapshot_sha256
    from mfhhis01
    left join names on mfhhis01.holder_label = names.label

),

named as (

    select positions.* replace (coalesce(renamed.holder, positions.holder) as holder)
    from positions
    left join renamed on positions.holder = renamed.former

),

seen as (

    select
        *,
        last_value(position_usd_bn) over (
            partition by month_end_date, holder
            order by first_seen_at
            range between unbounded preceding and interval 1 microsecond preceding
        ) as seen_before_usd_bn
    from named

),

-- A file that comes later and, but for rounding, shows another figure than one seen before is a revision of it. A file
-- that comes later still repeats the revision: of its figure nobody knew before, either.
revised as (

    select
        *,
        if(abs(position_usd_bn - seen_before_usd_bn) > 0.0501, first_seen_at, null) as revised_at
    from seen

),

final as (

    select
        * exclude (seen_before_usd_bn, revised_at)
        replace (
            greatest(
                published_at,
                max(revised_at) over (
                    partition by month_end_date, holder
                    order by first_seen_at
                    range between unbounded preceding and current row
                )
            ) as published_at
        )
    from revised

)

select * from final
