{#- What could be known at 09:30 in Tokyo on the morning after the claim's last day, as in repatriation. -#}
{%- set morning_after = "(claims.last_date + 1 + interval '9 hours 30 minutes') at time zone 'Asia/Tokyo'" -%}
-- What is a mart's figure is read from the mart, as its readers can.
with claims as (

    select
        claims.*,
        {{ morning_after }} as as_of_at,
        clock.now_at >= {{ morning_after }} as was_made
    from {{ ref('press_claims') }} as claims
    cross join {{ source('landing', 'clock') }} as clock
    where claims.measured_by = 'int_claims_of_capital'

),

positions as (

    select * from {{ ref('int_tic_positions') }}

),

holdings as (

    select * from {{ ref('tic_holdings') }}

),

bond_sums as (

    select * from {{ ref('int_foreign_bond_sums') }}

),

mornings as (

    select * from {{ ref('repatriation') }}

),

-- Each country's holdings as known then, in whichever file; months older than a quarter are not the state of then.
known_positions as (

    select
        claims.claim_id,
        positions.month_end_date,
        positions.holder,
        arg_max_null(positions.position_usd_bn, (positions.published_at, -positions.preference)) as position_usd_bn,
        arg_max(positions.change, (positions.published_at, -positions.preference)) as change
    from claims
    inner join positions
        on
            claims.as_of_at >= positions.published_at
            and positions.month_end_date >= claims.last_date - interval 3 months
    where claims.was_made and positions.holder_kind = 'country'
    group by claims.claim_id, positions.month_end_date, positions.holder

),

known_ranks as (

    select
        claim_id,
        month_end_date,
        holder,
        position_usd_bn,
        rank() over (partition by claim_id, month_end_date order by position_usd_bn desc) as position_rank,
        count(*) over (partition by claim_id, month_end_date) as holders
    from known_positions
    where change <> 'withdrawn' and position_usd_bn is not null

),

japan_then as (

    select *
    from known_ranks
    where holder = 'Japan'
    qualify month_end_date = max(month_end_date) over (partition by claim_id)

),

japan_now as (

    select *
    from holdings
    where holder = 'Japan' and position_usd_bn is not null and rank is not null
    qualify month_end_date = max(month_end_date) over ()

),

holders as (

    select
        claims.*,
        japan_then.month_end_date,
        japan_then.position_rank,
        japan_then.holders,
        of_month.first_print_usd_bn,
        of_month.position_usd_bn,
        of_month.long_term_usd_bn,
        japan_now.month_end_date as newest_month_end_date,
        japan_now.position_usd_bn as newest_usd_bn,
        japan_now.rank as newest_rank
    from claims
    left join japan_then on claims.claim_id = japan_then.claim_id
    left join holdings as of_month
        on
            japan_then.month_end_date = of_month.month_end_date
            and japan_then.holder = of_month.holder
    left join japan_now on true
    where claims.claim_id in ('japan_largest_holder', 'japan_treasuries_about_1_1_tn')

),

measured_holders as (

    select
        claim_id,
        if(claim_id = 'japan_largest_holder', position_rank, round(first_print_usd_bn / 1000, 4)) as measured_value,
        if(claim_id = 'japan_largest_holder', 'rank among countries', 'holdings as first seen')
        || ', TIC, long-term and bills, newest month known then' as basis,
        month_end_date as evidence_date,
        case
            when month_end_date is null or first_print_usd_bn is null then 'not_measurable'
            when claim_id = 'japan_largest_holder'
                then if(position_rank = claimed_value, 'confirmed', 'contradicted')
            when abs(first_print_usd_bn / 1000 - claimed_value) <= tolerance then 'confirmed'
            -- without bills
            when abs(long_term_usd_bn / 1000 - claimed_value) <= tolerance then 'basis_differs'
            else 'contradicted'
        end as verdict,
        case
            when month_end_date is null or first_print_usd_bn is null
                then format(
                    'Needed: TIC holdings by country as known on {}, of a month not older than a quarter.',
                    last_date + 1
                )
            when claim_id = 'japan_largest_holder'
                then format(
                    'Known on {}: rank {} of {} countries in {}. In {}, the newest month here: rank {}.',
                    last_date + 1,
                    position_rank,
                    holders,
                    strftime(month_end_date, '%Y-%m'),
                    strftime(newest_month_end_date, '%Y-%m'),
                    newest_rank
                )
            else
                format(
                    'Known on {} for {}: {:,.1f} usd bn as first seen{}{}. About {:.1f} means within {:.2f}. In {}, '
                    || 'the newest month here: {:,.1f} usd bn.',
                    last_date + 1,
                    strftime(month_end_date, '%Y-%m'),
                    first_print_usd_bn,
                    coalesce(format(', {:,.1f} as last seen', position_usd_bn), ''),
                    coalesce(format(', of which long-term {:,.1f}', long_term_usd_bn), ''),
                    claimed_value,
                    tolerance,
                    strftime(newest_month_end_date, '%Y-%m'),
                    newest_usd_bn
                )
        end as note
    from holders

),

purchases as (

    select
        claims.claim_id,
        claims.first_date,
        claims.last_date,
        claims.was_made,
        min(holdings.month_end_date) as first_month_end_date,
        max(holdings.month_end_date) as last_month_end_date,
        sum(holdings.net_purchases_usd_bn) as net_usd_bn
    from claims
    left join holdings
        on
            claims.first_date <= holdings.month_end_date
            and holdings.holder = 'Japan'
            and holdings.net_purchases_usd_bn is not null
    where claims.claim_id = 'capital_home_tic'
    group by claims.claim_id, claims.first_date, claims.last_date, claims.was_made

),

measured_purchases as (

    select
        claim_id,
        round(net_usd_bn, 3) as measured_value,
        'net purchases of Treasuries by Japan since the month of the claim, TIC table 3; stays home = net sales'
            as basis,
        last_month_end_date as evidence_date,
        case
            when net_usd_bn is null or not was_made then 'not_measurable'
            when net_usd_bn < 0 then 'confirmed'
            else 'contradicted'
        end as verdict,
        if(
            net_usd_bn is null or not was_made,
            format('Needed: net transactions of Japan from {} on (TIC table 3).', strftime(first_date, '%Y-%m')),
            format(
                'From {} to {} net {} of {:,.1f} usd bn. TIC goes by custodian, and says nothing of other bonds.',
                strftime(first_month_end_date, '%Y-%m'),
                strftime(last_month_end_date, '%Y-%m'),
                if(net_usd_bn < 0, 'sales', 'purchases'),
                abs(net_usd_bn)
            )
        ) as note
    from purchases

),

newest_sums as (

    select *
    from bond_sums
    qualify published_at = max(published_at) over ()

),

then_and_now as (
{% for weeks in [13, 52] %}
    select
        claims.*,
        {{ weeks }} as weeks,
        then_known.newest_week_end_date as then_date,
        then_known.net_{{ weeks }}w_jpy_bn as then_jpy_bn,
        newest_sums.newest_week_end_date as now_date,
        newest_sums.net_{{ weeks }}w_jpy_bn as now_jpy_bn
    from claims
    asof left join bond_sums as then_known on claims.as_of_at >= then_known.published_at
    left join newest_sums on claims.as_of_at < newest_sums.published_at
    where claims.claim_id = 'capital_home_{{ weeks }}w'
    {{ "union all" if not loop.last }}
{%- endfor %}

),

flows as (

    select
        *,
        -- The newest week known is two weeks old, four around New Year; an older sum is not that of then.
        coalesce(
            was_made and then_date >= last_date - 35 and then_jpy_bn is not null and now_jpy_bn is not null, false
        ) as is_reached,
        if(then_jpy_bn < 0, 'sales', 'purchases') as then_side,
        if(now_jpy_bn < 0, 'sales', 'purchases') as now_side
    from then_and_now

),

measured_flows as (

    select
        claim_id,
        now_jpy_bn as measured_value,
        format(
            'residents'' net purchases of foreign long-term debt, newest {} weeks, MOF; stays home = less than at the '
            || 'claim',
            weeks
        ) as basis,
        now_date as evidence_date,
        case
            when not is_reached then 'not_measurable'
            when now_jpy_bn < then_jpy_bn then 'confirmed'
            else 'contradicted'
        end as verdict,
        if(
            is_reached,
            format(
                'Known on {}: net {} of {:,.1f} jpy bn in {} weeks to {}. Newest: net {} of {:,.1f} jpy bn in {} '
                || 'weeks to {}.',
                last_date + 1,
                then_side,
                abs(then_jpy_bn),
                weeks,
                then_date,
                now_side,
                abs(now_jpy_bn),
                weeks,
                now_date
            ),
            format(
                'Needed: weekly flows known on {}, {} weeks without a gap, and weeks that came out later.',
                last_date + 1,
                weeks
            )
        ) as note
    from flows

),

newest_mornings as (

    select *
    from mornings
    where spread_10y_bp is not null and spread_30y_bp is not null
    qualify obs_date = max(obs_date) over ()

),

-- The morning after the claim; a later one stands in its place only after a weekend or holidays.
then_known as (

    select
        mornings.*,
        claims.claim_id
    from mornings
    inner join claims on mornings.obs_date between claims.last_date + 1 and claims.last_date + 5
    qualify row_number() over (partition by claims.claim_id order by mornings.obs_date) = 1

),

-- What a morning showed at the claim's tenor, at the claim and now.
spreads as (
{% for tenor in [10, 30] %}
    select
        claims.*,
        then_known.obs_date as then_date,
        then_known.ust_{{ tenor }}y_pct as then_ust_pct,
        then_known.spread_{{ tenor }}y_bp as then_spread_bp,
        then_known.hedged_pickup_{{ tenor }}y_bp as then_pickup_bp,
        then_known.hedge_cost_pct as then_hedge_cost_pct,
        newest_mornings.obs_date as now_date,
        newest_mornings.ust_{{ tenor }}y_pct as now_ust_pct,
        newest_mornings.spread_{{ tenor }}y_bp as now_spread_bp,
        newest_mornings.hedged_pickup_{{ tenor }}y_bp as now_pickup_bp
    from claims
    left join then_known on claims.claim_id = then_known.claim_id
    left join newest_mornings on true
    where
        claims.tenor_years = {{ tenor }}
        and (claims.claim_id like 'treasury_%' or claims.claim_id like 'differential_%')
    {{ "union all" if not loop.last }}
{%- endfor %}

),

spread_figures as (

    select
        *,
        case
            when claim_id like 'differential_%' and now_date > then_date
                then round(now_spread_bp - then_spread_bp, 2)
            when claim_id = 'treasury_yield_about_4_pct' then then_ust_pct
            when claim_id = 'treasury_pickup_unhedged' then then_spread_bp
            when claim_id = 'treasury_pickup_hedged' then then_pickup_bp
        end as measured_value
    from spreads

),

measured_spreads as (

    select
        claim_id,
        measured_value,
        case
            when claim_id like 'differential_%'
                then format(
                    'change of the {}-year Treasury less JGB from the claim to the newest morning; narrowing = below 0',
                    tenor_years
                )
            when claim_id = 'treasury_yield_about_4_pct'
                then format('{}-year Treasury par yield', tenor_years)
            when claim_id = 'treasury_pickup_unhedged'
                then format('{}-year Treasury less JGB; no incentive = above 0', tenor_years)
            else
                format(
                    '{}-year Treasury less JGB less the 3-month hedge, before the cross-currency basis; no incentive = '
                    || 'above 0',
                    tenor_years
                )
        end as basis,
        if(claim_id like 'differential_%', now_date, then_date) as evidence_date,
        case
            when measured_value is null then 'not_measurable'
            when
                case
                    when claim_id like 'differential_%' then measured_value < 0
                    when claim_id = 'treasury_yield_about_4_pct' then abs(measured_value - claimed_value) <= tolerance
                    else measured_value > 0
                end
                then 'confirmed'
            else 'contradicted'
        end as verdict,
        case
            when measured_value is null
                then format(
                    'Needed: yields of JGBs and Treasuries{} as known on {}{}.',
                    if(claim_id = 'treasury_pickup_hedged', ', and the policy rate,', ''),
                    last_date + 1,
                    if(claim_id like 'differential_%', ', and on a later morning', '')
                )
            when claim_id like 'differential_%'
                then format(
                    '{}-year: {:.1f} bp on {}, {:.1f} bp on {}.',
                    tenor_years,
                    then_spread_bp,
                    then_date,
                    now_spread_bp,
                    now_date
                )
            when claim_id = 'treasury_yield_about_4_pct'
                then format(
                    'Known on {}: {:.2f} %{}. About {:.0f} means within {:.1f}.',
                    then_date,
                    then_ust_pct,
                    coalesce(format('; on {}: {:.2f} %', now_date, now_ust_pct), ''),
                    claimed_value,
                    tolerance
                )
            when claim_id = 'treasury_pickup_unhedged'
                then format(
                    'Known on {}: {:+.1f} bp{}.',
                    then_date,
                    then_spread_bp,
                    coalesce(format('; on {}: {:+.1f} bp', now_date, now_spread_bp), '')
                )
            else
                format(
                    'Known on {}: {:+.1f} bp after a hedge cost of {:.2f} %, in favour of the {}{}.',
                    then_date,
                    then_pickup_bp,
                    then_hedge_cost_pct,
                    if(then_pickup_bp > 0, 'Treasury', 'JGB'),
                    coalesce(format('; on {}: {:+.1f} bp', now_date, now_pickup_bp), '')
                )
        end as note
    from spread_figures

),

final as (

    select * from measured_holders
    union all by name
    select * from measured_purchases
    union all by name
    select * from measured_flows
    union all by name
    select * from measured_spreads

)

{{ measured_or_not('final') }}
