with claims as (

    select * from {{ ref('press_claims') }}
    where measured_by = 'int_claims_of_yields'

),

yields as (

    select * from {{ ref('int_jgb_yields') }}

),

yield_records as (

    select * from {{ ref('int_yield_records') }}
    where kind = 'highest'

),

simple_yields as (

    select * from {{ ref('int_on_the_run_simple_yields') }}

),

moves as (

    select * from {{ ref('int_yield_moves') }}
    where direction = 'rise'

),

move_records as (

    select * from {{ ref('int_move_records') }}

),

histories as (

    select
        tenor_years,
        min(obs_date) as first_obs_date,
        max(obs_date) as newest_obs_date
    from yields
    group by tenor_years

),

-- The highest close of the claim's days, and what is known of it.
peaks as (

    select
        claims.claim_id,
        yields.obs_date,
        yields.yield_pct,
        yield_records.since_date,
        simple_yields.simple_yield_pct,
        simple_yields.price,
        simple_yields.issue_number,
        simple_yields.coupon_pct,
        simple_yields.maturity_date
    from claims
    inner join yields
        on
            claims.tenor_years = yields.tenor_years
            and yields.obs_date between claims.first_date and claims.last_date
    left join yield_records
        on
            yields.tenor_years::varchar = yield_records.series
            and yields.obs_date = yield_records.at_date
    left join simple_yields
        on
            yields.tenor_years = simple_yields.tenor_years
            and yields.obs_date = simple_yields.obs_date
    qualify row_number() over (partition by claims.claim_id order by yields.yield_pct desc, yields.obs_date asc) = 1

),

-- The whole percent below the claimed yield: when it was first passed, by either convention.
passed as (

    select
        claims.claim_id,
        min(yields.obs_date) filter (where yields.yield_pct > floor(claims.claimed_value)) as first_close_date,
        min(yields.obs_date) filter (where simple_yields.simple_yield_pct > floor(claims.claimed_value))
            as first_simple_date
    from claims
    inner join yields on claims.tenor_years = yields.tenor_years
    left join simple_yields
        on
            yields.tenor_years = simple_yields.tenor_years
            and yields.obs_date = simple_yields.obs_date
    where claims.unit = 'percent a year'
    group by claims.claim_id

),

levels as (

    select
        claims.*,
        histories.first_obs_date,
        histories.newest_obs_date,
        peaks.* exclude (claim_id), -- noqa: RF02
        passed.first_close_date,
        first_close.yield_pct as first_close_pct,
        passed.first_simple_date,
        coalesce(
            histories.newest_obs_date >= claims.last_date
            and histories.first_obs_date <= coalesce(claims.since_last_date, claims.first_date)
            and peaks.yield_pct is not null,
            false
        ) as is_reached,
        round((peaks.obs_date - coalesce(peaks.since_date, histories.first_obs_date)) / 365.25, 1) as years_since
    from claims
    left join histories on claims.tenor_years = histories.tenor_years
    left join peaks on claims.claim_id = peaks.claim_id
    left join passed on claims.claim_id = passed.claim_id
    left join yields as first_close
        on
            claims.tenor_years = first_close.tenor_years
            and passed.first_close_date = first_close.obs_date

),

level_texts as (

    select
        claim_id,
        format(
            'The highest close of the {}-year from {} to {} was {:.3f} % on {}, semi-annual compound, {}.',
            tenor_years,
            first_date,
            last_date,
            yield_pct,
            obs_date,
            coalesce('last as high on ' || since_date, 'never as high since ' || first_obs_date || ', when it begins')
        ) as of_peak,
        format(
            'At that yield, issue {} (coupon {:.1f} %, due {}) costs {:.2f} yen: {:.2f} % as Japanese simple yield.',
            issue_number,
            coupon_pct,
            maturity_date,
            price,
            simple_yield_pct
        ) as of_simple,
        if(
            tolerance is null or unit <> 'percent a year',
            null,
            format(
                'The claimed {:.2f} % is {:+.1f} bp from it{}; {:.0f} bp are allowed for a quote within the day.',
                claimed_value,
                100 * (claimed_value - yield_pct),
                coalesce(
                    format(', {:+.1f} from its simple equivalent', 100 * (claimed_value - simple_yield_pct)), ''
                ),
                100 * tolerance
            )
        ) as of_difference,
        case
            -- Where it was passed long ago, when is of no interest.
            when unit = 'percent a year' and coalesce(first_close_date >= first_date, true)
                then coalesce(
                    format(
                        'The first close above {:.0f} % is {:.3f} % on {}.',
                        floor(claimed_value),
                        first_close_pct,
                        first_close_date
                    ),
                    format('No close was above {:.0f} % by {}.', floor(claimed_value), newest_obs_date)
                )
        end as of_first_close,
        'The article quotes one bond within the day, the ministry a curve at its close.' as of_quotes,
        format(
            'Needed: closes of the {}-year from {} to {}; here {}.',
            tenor_years,
            coalesce(since_last_date, first_date),
            last_date,
            coalesce('they run from ' || first_obs_date || ' to ' || newest_obs_date, 'there are none')
        ) as of_need
    from levels

),

level_verdicts as (

    select
        claim_id,
        case
            when not is_reached
                then 'not_measurable'
            when claim_id = 'jgb_40y_first_above_4_pct'
                then case
                    when first_close_date between first_date and last_date then 'confirmed'
                    when first_close_date < first_date then 'contradicted'
                    when simple_yield_pct is null then 'not_measurable'
                    when first_simple_date between first_date and last_date then 'basis_differs'
                    else 'contradicted'
                end
            when claim_id = 'jgb_10y_highest_in_27_years'
                then case
                    when years_since >= claimed_value - tolerance then 'confirmed'
                    when since_date is null then 'not_measurable'
                    else 'contradicted'
                end
            when round(yield_pct, 2) = claimed_value
                then 'confirmed'
            -- A quote of one bond within the day, in another convention than the close, is not the close.
            when least(abs(yield_pct - claimed_value), abs(simple_yield_pct - claimed_value)) <= tolerance
                then 'basis_differs'
            when simple_yield_pct is null
                then 'not_measurable'
            else 'contradicted'
        end as verdict
    from levels

),

measured_levels as (

    select
        levels.claim_id,
        level_verdicts.verdict,
        case
            when levels.claim_id = 'jgb_10y_highest_in_27_years' then levels.years_since
            when levels.claim_id = 'jgb_40y_first_above_4_pct' then coalesce(levels.first_close_pct, levels.yield_pct)
            else levels.yield_pct
        end as measured_value,
        case
            when levels.claim_id = 'jgb_40y_first_above_4_pct' then coalesce(levels.first_close_date, levels.obs_date)
            else levels.obs_date
        end as evidence_date,
        if(
            levels.claim_id = 'jgb_40y_first_above_4_pct' and levels.first_close_date is not null,
            'first MOF close above it',
            'highest MOF close of those days'
        )
        || ', constant maturity, semi-annual compound' as basis,
        case
            when not levels.is_reached then level_texts.of_need
            else
                concat_ws(
                    ' ',
                    if(
                        level_verdicts.verdict = 'not_measurable',
                        'Needed: '
                        || if(
                            levels.claim_id = 'jgb_10y_highest_in_27_years',
                            'closes of earlier years.',
                            'coupon and maturity of the newest issue (auction workbook), for its simple yield.'
                        ),
                        null
                    ),
                    level_texts.of_peak,
                    level_texts.of_difference,
                    level_texts.of_simple,
                    level_texts.of_first_close,
                    level_texts.of_quotes
                )
        end as note
    from levels
    inner join level_verdicts on levels.claim_id = level_verdicts.claim_id
    inner join level_texts on levels.claim_id = level_texts.claim_id
    where
        levels.claim_id in (
            'jgb_40y_first_above_4_pct', 'jgb_40y_peak', 'jgb_10y_peak', 'jgb_10y_highest_in_27_years'
        )

),

-- Of each claim of a rise and each super-long tenor: its largest rise of that length within the claim's days.
largest_rises as (

    select
        claims.claim_id,
        moves.obs_date,
        moves.tenor_years,
        moves.size_bp,
        moves.move_rank,
        moves.moves_so_far,
        move_records.since_date
    from claims
    inner join moves
        on
            claims.sessions = moves.sessions
            and moves.obs_date between claims.first_date and claims.last_date
            and moves.tenor_years in (10, 20, 30, 40)
    left join move_records
        on
            moves.kind = move_records.kind
            and moves.tenor_years::varchar = move_records.series
            and moves.obs_date = move_records.at_date
    where claims.claim_id like '%_rise' or claims.claim_id like 'sell_off_%'
    qualify
        row_number() over (
            partition by claims.claim_id, moves.tenor_years order by moves.size_bp desc, moves.obs_date asc
        ) = 1

),

other_tenors as (

    select
        largest_rises.claim_id,
        string_agg(
            format(
                '{}-year {:+.1f} bp, rank {:,} of {:,}',
                largest_rises.tenor_years,
                largest_rises.size_bp,
                largest_rises.move_rank,
                largest_rises.moves_so_far
            ),
            '; '
            order by largest_rises.tenor_years
        ) as ranks
    from largest_rises
    inner join claims on largest_rises.claim_id = claims.claim_id
    where largest_rises.tenor_years <> claims.tenor_years
    group by largest_rises.claim_id

),

rises as (

    select
        claims.*,
        histories.first_obs_date,
        histories.newest_obs_date,
        largest_rises.* exclude (claim_id, tenor_years), -- noqa: RF02
        other_tenors.ranks,
        coalesce(
            histories.newest_obs_date >= claims.last_date
            and histories.first_obs_date <= claims.since_last_date
            and largest_rises.size_bp is not null,
            false
        ) as is_reached
    from claims
    left join histories on claims.tenor_years = histories.tenor_years
    left join largest_rises
        on
            claims.claim_id = largest_rises.claim_id
            and claims.tenor_years = largest_rises.tenor_years
    left join other_tenors on claims.claim_id = other_tenors.claim_id
    where claims.claim_id like '%_rise' or claims.claim_id like 'sell_off_%'

),

measured_rises as (

    select
        claim_id,
        case
            when not is_reached then 'not_measurable'
            -- The most violent in decades: none as large since, or none at all.
            when unit = 'rank' then if(coalesce(since_date <= since_last_date, true), 'confirmed', 'contradicted')
            when size_bp > claimed_value and since_date between since_first_date and since_last_date then 'confirmed'
            else 'contradicted'
        end as verdict,
        if(unit = 'rank', move_rank, size_bp) as measured_value,
        obs_date as evidence_date,
        format(
            'largest rise of the {}-year over {} session{}, MOF closes{}',
            tenor_years,
            sessions,
            if(sessions = 1, '', 's'),
            if(unit = 'rank', ': rank among rises of that length so far', '')
        ) as basis,
        if(
            is_reached,
            format(
                'The {}-year rose by {:.1f} bp over {} session{} to {}, rank {:,} of {:,} rises since {}; {}.{}',
                tenor_years,
                size_bp,
                sessions,
                if(sessions = 1, '', 's'),
                obs_date,
                move_rank,
                moves_so_far,
                first_obs_date,
                coalesce('the last as large ended on ' || since_date, 'none before was as large'),
                coalesce(' Largest of the others in those days: ' || ranks || '.', '')
            ),
            format(
                'Needed: closes of the {}-year from {} to {}; here {}.',
                tenor_years,
                since_last_date,
                last_date,
                coalesce('they run from ' || first_obs_date || ' to ' || newest_obs_date, 'there are none')
            )
        ) as note
    from rises

),

holds as (

    select
        claims.claim_id,
        claims.tenor_years,
        claims.sessions,
        claims.first_date as hold_date,
        yields.session_number,
        yields.yield_pct
    from claims
    left join yields
        on
            claims.tenor_years = yields.tenor_years
            and claims.first_date = yields.obs_date
    where claims.claim_id = 'stress_receded_after_hold'

),

around as (

    select
        holds.claim_id,
        count(yields.change_1d_bp) filter (where yields.session_number > holds.session_number) as sessions_after,
        count(yields.change_1d_bp) filter (where yields.session_number < holds.session_number) as sessions_before,
        max(abs(yields.change_1d_bp)) filter (where yields.session_number > holds.session_number) as largest_after_bp,
        max(abs(yields.change_1d_bp)) filter (where yields.session_number < holds.session_number) as largest_before_bp,
        max(yields.obs_date) as last_obs_date,
        arg_max(yields.yield_pct, yields.obs_date) as last_yield_pct
    from holds
    inner join yields
        on
            holds.tenor_years = yields.tenor_years
            and yields.session_number
            between holds.session_number - holds.sessions and holds.session_number + holds.sessions
    group by holds.claim_id

),

stress as (

    select
        holds.*,
        around.* exclude (claim_id), -- noqa: RF02
        {{ bp_from_pct('around.last_yield_pct - holds.yield_pct') }} as change_bp,
        coalesce(around.sessions_before = holds.sessions and around.sessions_after = holds.sessions, false)
            as is_reached
    from holds
    left join around on holds.claim_id = around.claim_id

),

measured_stress as (

    select
        claim_id,
        case
            when not is_reached then 'not_measurable'
            when change_bp < 0 and largest_after_bp < largest_before_bp then 'confirmed'
            else 'contradicted'
        end as verdict,
        change_bp as measured_value,
        last_obs_date as evidence_date,
        format(
            'change of the {}-year over the {} sessions after the hold, MOF closes; receded = lower, with smaller '
            || 'daily moves than in the {} before',
            tenor_years,
            sessions,
            sessions
        ) as basis,
        if(
            is_reached,
            format(
                'From {:.3f} % on {} the {}-year went to {:.3f} % on {}. Its largest daily move after the hold was '
                || '{:.1f} bp, in the {} sessions before it {:.1f} bp.',
                yield_pct,
                hold_date,
                tenor_years,
                last_yield_pct,
                last_obs_date,
                largest_after_bp,
                sessions,
                largest_before_bp
            ),
            format(
                'Needed: closes of the {}-year on {} and in the {} sessions before and after.',
                tenor_years,
                hold_date,
                sessions
            )
        ) as note
    from stress

),

final as (

    select * from measured_levels
    union all by name
    select * from measured_rises
    union all by name
    select * from measured_stress

)

{{ measured_or_not('final') }}
