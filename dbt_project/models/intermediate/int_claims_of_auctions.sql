-- Read from the mart, as its readers can: ranks, means and since-dates look back only.
with claims as (

    select
        *,
        tenor_years || 'y' as instrument
    from {{ ref('press_claims') }}
    where measured_by = 'int_claims_of_auctions'

),

auctions as (

    select * from {{ ref('auction_tails') }}

),

-- Since the years in which, by the claim, an auction was as bad: the longest tail and the lowest cover to its day.
records as (

    select
        claims.claim_id,
        max(auctions.tail_price) as longest_tail_price,
        -- of two as bad the later one, which is "as bad as" the earlier
        arg_max(auctions.auction_date, (auctions.tail_price, auctions.auction_date))
        filter (where auctions.tail_price is not null) as longest_tail_date,
        arg_max_null(auctions.longest_tail_since_date, (auctions.tail_price, auctions.auction_date))
        filter (where auctions.tail_price is not null) as longest_tail_since_date,
        min(auctions.bid_to_cover) as lowest_cover,
        arg_max(auctions.auction_date, (-auctions.bid_to_cover, auctions.auction_date))
        filter (where auctions.bid_to_cover is not null) as lowest_cover_date
    from claims
    inner join auctions
        on
            claims.instrument = auctions.instrument
            and claims.since_last_date < auctions.auction_date
            and claims.last_date >= auctions.auction_date
    where auctions.tail_n is not null
    group by claims.claim_id

),

first_auctions as (

    select
        instrument,
        min(auction_date) as first_date
    from auctions
    group by instrument

),

evidence as (

    select
        claims.*,
        auctions.* exclude (instrument), -- noqa: RF02
        records.longest_tail_price as record_tail_price,
        records.longest_tail_date as record_tail_date,
        records.longest_tail_since_date as record_tail_since_date,
        records.lowest_cover as record_cover,
        records.lowest_cover_date as record_cover_date,
        coalesce(
            auctions.bid_to_cover_prior12_mean is not null
            and auctions.tail_compound_prior12_mean_bp is not null
            and first_auctions.first_date <= coalesce(claims.since_last_date, claims.first_date),
            false
        ) as is_reached
    from claims
    left join auctions
        on
            claims.instrument = auctions.instrument
            and claims.first_date = auctions.auction_date
    left join records on claims.claim_id = records.claim_id
    left join first_auctions on claims.instrument = first_auctions.instrument

),

texts as (

    select
        claim_id,
        format(
            'On {} the cover was {:.2f}; the mean of the 12 before is {:.2f}, of the 6 before {:.2f}. Rank {:,} '
            || 'of {:,} from the lowest, {}.',
            auction_date,
            bid_to_cover,
            bid_to_cover_prior12_mean,
            bid_to_cover_prior6_mean,
            bid_to_cover_rank,
            bid_to_cover_n,
            coalesce('last as low on ' || lowest_cover_since_date, 'never before as low')
        ) as of_cover,
        format(
            'On {} the tail was {:.2f} yen, {:.1f} bp as published and {:.2f} compound; the mean of the 12 before is '
            || '{:.2f} compound, of the 6 before {:.2f}. Rank {:,} of {:,} from the longest, in yen, {}.',
            auction_date,
            tail_price,
            tail_yield_bp,
            tail_compound_bp,
            tail_compound_prior12_mean_bp,
            tail_compound_prior6_mean_bp,
            tail_rank,
            tail_n,
            coalesce('last as long on ' || longest_tail_since_date, 'never before as long')
        ) as of_tail,
        format(
            'The longest tail after {} is that of {}: {:.2f} yen, {}.',
            year(since_last_date),
            record_tail_date,
            record_tail_price,
            coalesce('last as long on ' || record_tail_since_date, 'never before as long')
        ) as of_record_tail,
        format(
            'The lowest cover after {} is {:.2f}, of {}.', year(since_last_date), record_cover, record_cover_date
        ) as of_record_cover,
        format(
            'Needed: the {}-year auction of {} and those before it from {} (auction workbook); here there is {}.',
            tenor_years,
            first_date,
            coalesce(year(since_first_date) || ' on', 'a year back'),
            if(auction_date is null, 'no such auction', 'that auction without all of them')
        ) as of_need
    from evidence

),

final as (

    select
        evidence.claim_id,
        case evidence.claim_id
            when 'auction_20y_weak_cover' then evidence.bid_to_cover
            when 'auction_20y_weak_tail' then evidence.tail_compound_bp
            else evidence.record_tail_price
        end as measured_value,
        case evidence.claim_id
            when 'auction_20y_weak_cover' then 'cover; weak = below the mean of the 12 auctions before'
            when 'auction_20y_weak_tail'
                then 'tail, semi-annual compound, uncut; weak = longer than the mean of the 12 auctions before'
            else format('longest tail after {}; the worst = that, or the lowest cover', year(evidence.since_last_date))
        end as basis,
        if(
            evidence.claim_id = 'auction_20y_worst_since_1987', evidence.record_tail_date, evidence.auction_date
        ) as evidence_date,
        case
            when not evidence.is_reached then 'not_measurable'
            when
                case evidence.claim_id
                    when 'auction_20y_weak_cover' then evidence.bid_to_cover < evidence.bid_to_cover_prior12_mean
                    when 'auction_20y_weak_tail'
                        then evidence.tail_compound_bp > evidence.tail_compound_prior12_mean_bp
                    else evidence.auction_date in (evidence.record_tail_date, evidence.record_cover_date)
                end
                then 'confirmed'
            else 'contradicted'
        end as verdict,
        case
            when not evidence.is_reached then texts.of_need
            when evidence.claim_id = 'auction_20y_weak_cover' then texts.of_cover
            when evidence.claim_id = 'auction_20y_weak_tail' then texts.of_tail
            else concat_ws(' ', texts.of_record_tail, texts.of_tail, texts.of_cover, texts.of_record_cover)
        end as note
    from evidence
    inner join texts on evidence.claim_id = texts.claim_id

)

{{ measured_or_not('final') }}
