{%- set measures = curve_measures() -%}
with yields as (

    select * from {{ ref('int_jgb_yields') }}

),

measures as (

    select * from {{ ref('int_curve_measures') }}

),

records as (

    select * from {{ ref('int_records') }}

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
        lowest.since_date as lowest_since_date
    from measures
    left join records as highest
        on
            highest.kind = 'high'
            and highest.series = measures.measure
            and highest.at_date = measures.obs_date
    left join records as lowest
        on
            lowest.kind = 'low'
            and lowest.series = measures.measure
            and lowest.at_date = measures.obs_date

),

shapes as (

    select
        obs_date,
        {%- for measure in measures %}
        {%- for column, suffix in [
            ('measured', '_' ~ measure.unit), ('change_1d_bp', '_change_1d_bp'), ('change_5d_bp', '_change_5d_bp'),
            ('highest_since_date', '_highest_since_date'), ('lowest_since_date', '_lowest_since_date')
        ] %}
        max({{ column }}) filter (where measure = '{{ measure.name }}') as {{ measure.name }}{{ suffix }}{{ "," if not loop.last }}
        {%- endfor %}{{ "," if not loop.last }}
        {%- endfor %}
    from dated_measures
    group by obs_date

),

final as (

    select
        days.obs_date,
        shapes.* exclude (obs_date),
        -- Parallel: the 2s10s moved by less than 1 bp. Otherwise the pair's mean says bull or bear, the slope the rest.
        case
            when days.change_2y_5d_bp is null or days.change_10y_5d_bp is null then null
            when abs(days.change_10y_5d_bp - days.change_2y_5d_bp) < 1 then 'parallel'
            else
                case
                    when days.change_2y_5d_bp + days.change_10y_5d_bp > 0 then 'bear'
                    when days.change_2y_5d_bp + days.change_10y_5d_bp < 0 then 'bull'
                    when days.change_10y_5d_bp > 0 then 'bear'
                    else 'bull'
                end
                || case when days.change_10y_5d_bp > days.change_2y_5d_bp then '_steepener' else '_flattener' end
        end as regime_5d
    from days
    left join shapes on days.obs_date = shapes.obs_date

)

select * from final
