{%- set measures = curve_measures() -%}
{%- set columns = [
    ('measured', none), ('change_1d_bp', 'change_1d_bp'), ('change_5d_bp', 'change_5d_bp'),
    ('highest_since_date', 'highest_since_date'), ('lowest_since_date', 'lowest_since_date'),
    ('pctile', 'pctile'), ('n', 'n')
] -%}
with yields as (

    select * from {{ ref('int_jgb_yields') }}

),

measures as (

    select * from {{ ref('int_curve_measures') }}

),

records as (

    select * from {{ ref('int_curve_records') }}

),

fitted as (

    select * from {{ ref('stg_analytics__fitted_curves') }}

),

days as (

    select
        obs_date,
        max(change_5d_bp) filter (where tenor_years = 2) as change_2y_5d_bp,
        max(change_5d_bp) filter (where tenor_years = 10) as change_10y_5d_bp
    from yields
    group by obs_date

),

dated_measures as (

    select
        measures.*,
        highest.since_date as highest_since_date,
        lowest.since_date as lowest_since_date,
        round(100.0 * (measures.sessions_so_far - measures.high_rank + 1) / measures.sessions_so_far, 2) as pctile,
        measures.sessions_so_far::integer as n
    from measures
    left join records as highest
        on
            measures.measure = highest.series
            and measures.obs_date = highest.at_date
            and highest.kind = 'highest'
    left join records as lowest
        on
            measures.measure = lowest.series
            and measures.obs_date = lowest.at_date
            and lowest.kind = 'lowest'

),

shapes as (

    select
        obs_date,
        {%- for measure in measures %}
        {%- for column, suffix in columns %}
        max({{ column }}) filter (where measure = '{{ measure.name }}')
            as {{ measure.name }}_{{ suffix or measure.unit }}{{ "," if not loop.last }}
        {%- endfor %}{{ "," if not loop.last }}
        {%- endfor %}
    from dated_measures
    group by obs_date

),

-- Parallel: the 2s10s moved by less than 1 bp. Otherwise the pair's mean says bull or bear, the slope the rest.
regimes as (

    select
        obs_date,
        case
            when change_2y_5d_bp is null or change_10y_5d_bp is null then null
            when abs(change_10y_5d_bp - change_2y_5d_bp) < 1 then 'parallel'
            else
                case
                    when change_2y_5d_bp + change_10y_5d_bp > 0 then 'bear'
                    when change_2y_5d_bp + change_10y_5d_bp < 0 then 'bull'
                    when change_10y_5d_bp > 0 then 'bear'
                    else 'bull'
                end
                || case when change_10y_5d_bp > change_2y_5d_bp then '_steepener' else '_flattener' end
        end as regime_5d
    from days

),

final as (

    select
        regimes.obs_date,
        {%- for measure in measures %}
        {%- for _, suffix in columns %}
        shapes.{{ measure.name }}_{{ suffix or measure.unit }},
        {%- endfor %}
        {%- endfor %}
        fitted.* exclude (obs_date),  -- noqa: RF02
        regimes.regime_5d
    from regimes
    left join shapes on regimes.obs_date = shapes.obs_date
    left join fitted on regimes.obs_date = fitted.obs_date

)

select * from final
