{#- Of each key the last version seen, less what the publisher withdrew. -#}
{% macro latest_version(relation, key) %}
select *
from (
    select *
    from {{ relation }}
    qualify row_number() over (partition by {{ key | join(', ') }} order by first_seen_at desc) = 1
)
where change <> 'withdrawn'
{% endmacro %}
