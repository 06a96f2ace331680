{#- Measurements of claims as the mart takes them: what could not be measured has neither value nor evidence. -#}
{%- macro measured_or_not(measurements) -%}
select
    claim_id,
    if(verdict = 'not_measurable', null, measured_value)::double as measured_value,
    basis,
    if(verdict = 'not_measurable', null, evidence_date) as evidence_date,
    verdict,
    note
from {{ measurements }}
{%- endmacro -%}
