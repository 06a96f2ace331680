{#- Both curves as known at 09:30 Tokyo, when the ministry publishes the yields of the session before. -#}
{%- set jgb_tenors = {'2y': 2, '5y': 5, '10y': 10, '20y': 20, '30y': 30} -%}
{%- set ust_tenors = {'3m': 3, '2y': 24, '5y': 60, '10y': 120, '20y': 240, '30y': 360} -%}
{%- set curves = {'jgb': ('tenor_years', jgb_tenors), 'ust': ('tenor_months', ust_tenors)} -%}
with jgb as (

    {{ as_published(ref('stg_mof_jgb_yields__yields'), unless="versions.file_kind = 'history'") }}
    where versions.tenor_years in ({{ jgb_tenors.values() | join(', ') }})

),

ust as (

    select * from {{ ref('int_ust_yields') }}
    where tenor_months in ({{ ust_tenors.values() | join(', ') }})

),

-- A session, and the day on which its yields are due: a session too.
days as (

    select obs_date
    from jgb
    union all
    select (published_at at time zone 'Asia/Tokyo')::date as obs_date
    from {{ ref('stg_mof_jgb_yields__yields') }}

),

instants as (

    select distinct
        obs_date,
        (obs_date + interval '9 hours 30 minutes') at time zone 'Asia/Tokyo' as as_of_at
    from days
    where obs_date >= date '1990-01-02'

),
{% for curve, (column, tenors) in curves.items() %}
{{ curve }}_publications as (

    select
        published_at,
        max(max(obs_date)) over (order by published_at) as newest_obs_date
    from {{ curve }}
    group by published_at

),

{{ curve }}_days as (

    select
        instants.obs_date,
        instants.as_of_at,
        publications.newest_obs_date
    from instants
    asof join {{ curve }}_publications as publications
        on instants.as_of_at >= publications.published_at

),

-- The version of each yield of that day which had been published by then; a tenor without one has none.
{{ curve }}_legs as (

    select
        days.obs_date,
        days.newest_obs_date,
        {%- for name, tenor in tenors.items() %}
        arg_max_null(yields.yield_pct, yields.published_at) filter (where yields.{{ column }} = {{ tenor }})
            as {{ curve }}_{{ name }}_pct,
        {%- endfor %}
        max(yields.published_at) as published_at
    from {{ curve }}_days as days
    inner join {{ curve }} as yields
        on
            days.newest_obs_date = yields.obs_date
            and days.as_of_at >= yields.published_at
    group by days.obs_date, days.newest_obs_date

),
{% endfor %}
final as (

    select
        instants.obs_date,
        instants.as_of_at,
        jgb_legs.newest_obs_date as jgb_obs_date,
        jgb_legs.published_at as jgb_published_at,
        ust_legs.newest_obs_date as ust_obs_date,
        ust_legs.published_at as ust_published_at,
        {%- for name in jgb_tenors %}
        jgb_legs.jgb_{{ name }}_pct,
        {%- endfor %}
        {%- for name in ust_tenors %}
        ust_legs.ust_{{ name }}_pct{{ "," if not loop.last }}
        {%- endfor %}
    from instants
    inner join jgb_legs on instants.obs_date = jgb_legs.obs_date
    inner join ust_legs on instants.obs_date = ust_legs.obs_date
    -- A curve that is older than five days says nothing of the day.
    where
        instants.obs_date - jgb_legs.newest_obs_date <= 5
        and instants.obs_date - ust_legs.newest_obs_date <= 5

)

select * from final
