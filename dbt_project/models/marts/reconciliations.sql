with pairs as (

    select * from {{ ref('int_reconciliations') }}

),

final as (

    select
        reconciliation,
        count(*)::integer as compared,
        count_if(difference <> 0 or difference is null)::integer as differing,
        count_if(not agrees)::integer as beyond_tolerance,
        max(abs(difference)) as largest_difference,
        min(period_end_date) as first_date,
        max(period_end_date) as last_date
    from pairs
    group by reconciliation

)

select * from final
