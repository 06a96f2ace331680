{#- Staging model, name of the publisher's table, column of the period, what tells series apart, what names them (of a
    renamed one its newest name), measures. -#}
{%- set treasuries = [
    'position_usd_bn', 'net_purchases_usd_bn', 'valuation_usd_bn', 'long_term_usd_bn',
    'long_term_net_purchases_usd_bn', 'short_term_usd_bn', 'short_term_net_purchases_usd_bn'
] -%}
{%- set securities = [] -%}
{%- for kind in us_security_types().values() -%}
    {%- for measure in ['position', 'net_purchases', 'valuation'] -%}
        {%- do securities.append('%s_%s_usd_bn' % (kind, measure)) -%}
    {%- endfor -%}
{%- endfor -%}
{%- set amounts = ['acquisition_jpy_bn', 'disposition_jpy_bn', 'net_jpy_bn'] -%}
{%- set mfh_series = "holder_label || if(is_primary, '', ' (old series)')" -%}
{%- set newest_name -%}
first_value(holder) over (partition by holder_code order by month_end_date desc, first_seen_at desc)
{%- endset -%}
{%- set flow = "side || ' ' || asset" -%}
{%- set tables = [
    ('stg_mof_jgb_yields__yields', 'jgbcme', 'obs_date', 'tenor_years', "tenor_years || 'Y'", ['yield_pct']),
    ('stg_treasury_par_yields__yields', 'daily_treasury_rates', 'obs_date', 'tenor_code', 'tenor_code', ['yield_pct']),
    ('stg_treasury_tic__table3', 'slt_table3', 'month_end_date', 'holder_code', newest_name, treasuries),
    ('stg_treasury_tic__table1', 'slt_table1', 'month_end_date', 'holder_code', newest_name, securities),
    ('stg_treasury_tic__table5', 'slt_table5', 'month_end_date', 'holder', 'holder', ['position_usd_bn']),
    ('stg_treasury_tic__mfhhis01', 'mfhhis01', 'month_end_date', mfh_series, mfh_series, ['position_usd_bn']),
    ('stg_mof_securities_flows__week', 'week', 'week_end_date', flow, flow, amounts),
    ('stg_mof_securities_flows__montha1', 'montha1', 'month_end_date', flow, flow, amounts),
    ('stg_mof_securities_flows__monthb3', 'monthb3', 'month_end_date', 'investor', "'outward lt_debt ' || investor", amounts),
] -%}
with
{%- for model, table, period, key, series, measures in tables %}
{{ table }} as (

    select
        '{{ table }}' as source_table,
        {{ period }} as period_end_date,
        {{ series }} as series,
        first_seen_at,
        {{ measures | join(', ') }}
    from {{ ref(model) }}
    qualify count(*) over (partition by {{ period }}, {{ key }}) > 1

),
{% endfor %}
versions as (
{% for model, table, period, key, series, measures in tables %}
    select
        source_table,
        period_end_date,
        series,
        measure,
        value,
        first_seen_at
    from {{ table }}
    unpivot include nulls (value for measure in ({{ measures | join(', ') }}))
    {{ "union all" if not loop.last }}
{%- endfor %}

),

moves as (

    select
        *,
        row_number() over cell > 1
        and (
            coalesce(value <> lag(value) over cell, false)
            or (value is null) <> (lag(value) over cell is null)
        ) as is_revision
    from versions
    window cell as (partition by source_table, period_end_date, series, measure order by first_seen_at)

),

final as (

    select
        source_table,
        period_end_date,
        series,
        measure,
        arg_min_null(value, first_seen_at) as first_value,
        arg_max_null(value, first_seen_at) as latest_value,
        round(arg_max_null(value, first_seen_at) - arg_min_null(value, first_seen_at), 5) as revision,
        count_if(is_revision)::integer as revisions,
        min(first_seen_at) as first_seen_at,
        max(first_seen_at) filter (where is_revision) as revised_at
    from moves
    group by source_table, period_end_date, series, measure
    having count_if(is_revision) > 0

)

select * from final
