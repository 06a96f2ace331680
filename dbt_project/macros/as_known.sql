{#- The rows of a change log or ledger that had been seen by the instant as of which the world is built. -#}
{% macro as_known(source_name, table_name, seen='first_seen_at') %}
select log.*
from {{ source(source_name, table_name) }} as log
cross join {{ source('landing', 'clock') }} as clock
where log.{{ seen }} <= clock.now_at
{% endmacro %}
