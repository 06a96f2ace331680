with yields as (

    select * from {{ ref('int_jgb_yields') }}

),

days as (

    select
        obs_date,
        session_number,
        {%- for tenor in [2, 5, 10, 20, 30, 40] %}
        max(yield_pct) filter (where tenor_years = {{ tenor }}) as yield_{{ tenor }}y_pct{{ "," if not loop.last }}
        {%- endfor %}
    from yields
    group by obs_date, session_number

),

measures as (
{% for measure in curve_measures() %}
    {%- set terms = [] -%}
    {%- for tenor, weight in measure.weights.items() -%}
        {%- do terms.append('%d * yield_%dy_pct' % (weight, tenor)) -%}
    {%- endfor %}
    select
        obs_date,
        session_number,
        '{{ measure.name }}' as measure,
        {% if measure.unit == 'bp' -%}
        {{ bp_from_pct(terms | join(' + ')) }}
        {%- else -%}
        {{ terms | join(' + ') }}
        {%- endif %} as measured,
        {{ 1 if measure.unit == 'bp' else 100 }} as bp_per_unit
    from days
    {{ "union all" if not loop.last }}
{%- endfor %}

),

present as (

    select * from measures
    where measured is not null

),

final as (

    select
        obs_date,
        measure,
        measured,
        case
            when session_number - lag(session_number, 1) over by_measure = 1
                then round(bp_per_unit * (measured - lag(measured, 1) over by_measure), 2)
        end as change_1d_bp,
        case
            when session_number - lag(session_number, 5) over by_measure = 5
                then round(bp_per_unit * (measured - lag(measured, 5) over by_measure), 2)
        end as change_5d_bp,
        rank(order by measured desc) over so_far as high_rank,
        count(*) over so_far as sessions_so_far
    from present
    window
        by_measure as (partition by measure order by obs_date),
        so_far as (by_measure rows between unbounded preceding and current row)

)

select * from final
