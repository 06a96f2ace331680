-- What residents' net purchases of foreign long-term debt added up to, as known after each publication.
with versions as (

    select
        period_end_date,
        net_jpy_bn,
        published_at
    from {{ ref('int_securities_flows') }}
    where
        frequency = 'weekly'
        and direction = 'outward'
        and security_type = 'long_term_debt'

),

series_breaks as (

    select * from {{ ref('flow_series_breaks') }}
    where security_type = 'long_term_debt' and investor_type = 'any'

),

publications as (

    select
        published_at,
        max(max(period_end_date)) over (order by published_at) as newest_week_end_date
    from versions
    group by published_at

),

weeks as (

    select
        publications.published_at,
        publications.newest_week_end_date,
        versions.period_end_date,
        arg_max_null(versions.net_jpy_bn, versions.published_at) as net_jpy_bn,
        max(versions.published_at) as week_published_at
    from publications
    inner join versions
        on
            versions.period_end_date
            between publications.newest_week_end_date - 51 * 7 and publications.newest_week_end_date
            and publications.published_at >= versions.published_at
    group by publications.published_at, publications.newest_week_end_date, versions.period_end_date

),

final as (

    select
        weeks.published_at,
        weeks.newest_week_end_date,
        max(weeks.week_published_at) as sums_published_at,
        {%- for length in [4, 13, 52] %}
        case
            when
                count(weeks.net_jpy_bn)
                    filter (where weeks.period_end_date > weeks.newest_week_end_date - 7 * {{ length }})
                = {{ length }}
                then round(
                    sum(weeks.net_jpy_bn)
                        filter (where weeks.period_end_date > weeks.newest_week_end_date - 7 * {{ length }}),
                    5
                )
        end as net_{{ length }}w_jpy_bn,
        {%- endfor %}
        coalesce(max(series_breaks.first_date) > weeks.newest_week_end_date - 7 * 52 + 1, false)
            as crosses_series_break
    from weeks
    asof left join series_breaks on weeks.newest_week_end_date >= series_breaks.first_date
    group by weeks.published_at, weeks.newest_week_end_date

)

select * from final
