{%- set tenors = ['2y', '5y', '10y', '20y', '30y'] -%}
with curves as (

    select * from {{ ref('int_known_curves') }}

),

policy_rates as (

    select
        effective_date,
        (target_low_pct + target_high_pct) / 2 as policy_rate_pct,
        target_low_pct < target_high_pct as policy_rate_is_range,
        -- Statements come out around noon; by the market's close at the latest.
        (decision_date + interval '15 hours') at time zone 'Asia/Tokyo' as published_at
    from {{ ref('policy_rate_steps') }}

),

flows as (

    select * from {{ ref('int_foreign_bond_sums') }}

),

positions as (

    select * from {{ ref('int_japan_positions') }}

),

final as (

    select
        curves.obs_date,
        curves.as_of_at,
        {%- for tenor in tenors %}
        curves.ust_{{ tenor }}_pct,
        curves.jgb_{{ tenor }}_pct,
        {{ bp_from_pct('curves.ust_%s_pct - curves.jgb_%s_pct' % (tenor, tenor)) }} as spread_{{ tenor }}_bp,
        {%- endfor %}
        curves.ust_3m_pct,
        policy_rates.policy_rate_pct,
        policy_rates.policy_rate_is_range,
        round(curves.ust_3m_pct - policy_rates.policy_rate_pct, 4) as hedge_cost_pct,
        {%- for tenor in tenors %}
        {{ bp_from_pct(
            'curves.ust_%s_pct - (curves.ust_3m_pct - policy_rates.policy_rate_pct) - curves.jgb_%s_pct'
            % (tenor, tenor)
        ) }} as hedged_pickup_{{ tenor }}_bp,
        {%- endfor %}
        {%- for length in [4, 13, 52] %}
        flows.net_{{ length }}w_jpy_bn as foreign_bond_net_{{ length }}w_jpy_bn,
        {%- endfor %}
        flows.crosses_series_break as foreign_bond_52w_crosses_series_break,
        positions.position_usd_bn as japan_tic_usd_bn,
        curves.jgb_obs_date,
        curves.jgb_published_at,
        curves.ust_obs_date,
        curves.ust_published_at,
        policy_rates.effective_date as policy_rate_effective_date,
        policy_rates.published_at as policy_rate_published_at,
        flows.newest_week_end_date as foreign_bond_week_end_date,
        flows.sums_published_at as foreign_bond_published_at,
        positions.month_end_date as japan_tic_month_end_date,
        positions.source_table as japan_tic_source_table,
        positions.position_published_at as japan_tic_published_at
    from curves
    asof left join policy_rates on curves.obs_date >= policy_rates.effective_date
    asof left join flows on curves.as_of_at >= flows.published_at
    asof left join positions on curves.as_of_at >= positions.published_at

)

select * from final
