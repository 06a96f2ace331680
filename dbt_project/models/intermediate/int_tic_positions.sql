-- Every version of every position, from the three TIC files that show Treasuries by holder.
with table3 as (

    select * from {{ ref('stg_treasury_tic__table3') }}

),

table5 as (

    select * from {{ ref('stg_treasury_tic__table5') }}

),

mfhhis01 as (

    select * from {{ ref('stg_treasury_tic__mfhhis01') }}
    where is_primary

),

names as (

    select * from {{ ref('tic_holder_names') }}

),

final as (

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
        short_term_usd_bn,
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
        mfhhis01.first_seen_at,
        mfhhis01.change,
        mfhhis01.snapshot_sha256
    from mfhhis01
    left join names on mfhhis01.holder_label = names.label

)

select * from final
