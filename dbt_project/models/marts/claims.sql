{%- set models = ['int_claims_of_yields', 'int_claims_of_auctions', 'int_claims_of_capital', 'int_claims_of_policy'] -%}
with press_claims as (

    select * from {{ ref('press_claims') }}

),

measured as (
{% for model in models %}
    select
        *,
        '{{ model }}' as measured_by
    from {{ ref(model) }}
    {{ "union all" if not loop.last }}
{%- endfor %}

),

-- A claim that its model does not measure has no verdict, a measurement that nobody claimed no claim: both are refused.
final as (

    select
        coalesce(press_claims.claim_id, measured.claim_id) as claim_id,
        press_claims.claim,
        press_claims.claimed_value,
        measured.measured_value,
        press_claims.unit,
        'claimed: ' || press_claims.claimed_basis || '; measured: ' || measured.basis as basis,
        measured.evidence_date,
        measured.verdict,
        measured.note,
        press_claims.measured_by
    from press_claims
    full join measured
        on
            press_claims.claim_id = measured.claim_id
            and press_claims.measured_by = measured.measured_by

)

select * from final
