-- Decisions count from the afternoon of their day; the budget is here because nothing else is known of fiscal policy.
with claims as (

    select * from {{ ref('press_claims') }}
    where measured_by = 'int_claims_of_policy'

),

clock as (

    select * from {{ source('landing', 'clock') }}

),

steps as (

    select
        policy_steps.*,
        (policy_steps.target_low_pct + policy_steps.target_high_pct) / 2 as target_pct,
        lead(policy_steps.effective_date) over (order by policy_steps.effective_date) as next_effective_date
    from {{ ref('policy_rate_steps') }} as policy_steps
    cross join clock
    where (policy_steps.decision_date + interval '15 hours') at time zone 'Asia/Tokyo' <= clock.now_at

),

holds as (

    select policy_holds.*
    from {{ ref('policy_rate_holds') }} as policy_holds
    cross join clock
    where (policy_holds.decision_date + interval '15 hours') at time zone 'Asia/Tokyo' <= clock.now_at

),

-- The last step decided within the claim's days, and until when a target before it was as high.
decided as (

    select
        claims.*,
        step.decision_date,
        step.effective_date,
        step.target_pct,
        step.votes_for,
        step.votes_against,
        step.status,
        (select min(steps.effective_date) from steps) as first_effective_date,
        (
            select max(earlier.next_effective_date)
            from steps as earlier
            where step.effective_date > earlier.effective_date and step.target_pct <= earlier.target_pct
        ) as as_high_until_date
    from claims
    left join steps as step
        on
            step.decision_date between claims.first_date and claims.last_date
            and step.target_pct is not null
    where claims.claim_id like 'policy_rate_%'
    qualify row_number() over (partition by claims.claim_id order by step.decision_date desc) = 1

),

counted as (

    select
        *,
        round((effective_date - coalesce(as_high_until_date, first_effective_date)) / 365.25, 1) as years_since,
        format(
            'Decided on {} by {} to {}: {:.2f} % from {} ({}).',
            decision_date,
            votes_for,
            votes_against,
            target_pct,
            effective_date,
            if(status = 'statement_read', 'read in the statement', 'as reported, the statement was not read')
        ) as of_decision
    from decided

),

measured_rates as (

    select
        claim_id,
        if(claim_id = 'policy_rate_0_75', target_pct, years_since) as measured_value,
        'target of the Bank of Japan for the overnight call rate (seed policy_rate_steps)' as basis,
        decision_date as evidence_date,
        case
            when decision_date is null then 'not_measurable'
            when claim_id = 'policy_rate_0_75'
                then if(abs(target_pct - claimed_value) <= tolerance, 'confirmed', 'contradicted')
            when years_since >= claimed_value - tolerance then 'confirmed'
            when as_high_until_date is null then 'not_measurable'
            else 'contradicted'
        end as verdict,
        case
            when decision_date is null
                then format(
                    'Needed: what was decided from {} to {}; here no step of those days is known.',
                    first_date,
                    last_date
                )
            when claim_id = 'policy_rate_0_75' then of_decision
            when as_high_until_date is not null
                then of_decision || ' A target as high held until ' || as_high_until_date || '.'
            when years_since >= claimed_value - tolerance
                then of_decision || ' No target was as high since ' || first_effective_date || ', when the steps begin.'
            else
                format(
                    'Needed: policy rates from {} on; the steps here begin on {}, none before this is as high. {}',
                    (effective_date - claimed_value::integer * interval 1 year)::date,
                    first_effective_date,
                    of_decision
                )
        end as note
    from counted

),

dissents as (

    select
        claims.*,
        holds.* exclude (status, note), -- noqa: RF02
        holds.status,
        holds.note as known_by
    from claims
    left join holds on holds.decision_date between claims.first_date and claims.last_date
    where claims.claim_id = 'boj_dissent_for_1_pct'
    qualify row_number() over (order by holds.decision_date desc) = 1

),

measured_dissents as (

    select
        claim_id,
        proposed_pct as measured_value,
        'target proposed by a member who voted against a hold (seed policy_rate_holds)' as basis,
        decision_date as evidence_date,
        case
            when proposed_pct is null then 'not_measurable'
            when abs(proposed_pct - claimed_value) <= tolerance then 'confirmed'
            else 'contradicted'
        end as verdict,
        case
            when decision_date is null
                then format(
                    'Needed: the votes of {} to {}; here no hold of those days is known.', first_date, last_date
                )
            when proposed_pct is null
                then format('Needed: what was proposed on {}; {}.', decision_date, known_by)
            else
                format(
                    'On {} the board held {:.2f} % by {} to {}; {} proposed {:.2f} %. {}: {}.',
                    decision_date,
                    target_pct,
                    votes_for,
                    votes_against,
                    coalesce(dissent, 'a member'),
                    proposed_pct,
                    if(status = 'statement_read', 'Read in the statement', 'As reported'),
                    known_by
                )
        end as note
    from dissents

),

budgets as (

    select
        claim_id,
        null::double as measured_value,
        'nothing, no source here tells budgets' as basis,
        null::date as evidence_date,
        'not_measurable' as verdict,
        'Needed: the ministry''s budgets of the general account of all fiscal years, initial and supplementary; the '
        || 'sources here tell yields, auctions, flows and holdings.' as note
    from claims
    where claim_id = 'budget_fy2026'

),

final as (

    select * from measured_rates
    union all by name
    select * from measured_dissents
    union all by name
    select * from budgets

)

{{ measured_or_not('final') }}
