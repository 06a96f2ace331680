{#- Versions with the instant from which each could be known as ``published_at``: that of the publisher's calendar, but
    the retrieval that first had it where it is a revision, where it came early, and where an earlier retrieval of its
    file, after that instant, did not have it. ``unless`` is a condition under which its absence then tells nothing. -#}
{% macro as_published(relation, unless='false') %}
select versions.* exclude (previous_retrieved_at) replace (
    case
        when
            versions.change <> 'added'
            or (versions.previous_retrieved_at >= versions.published_at and not ({{ unless }}))
            then versions.first_seen_at
        else least(versions.published_at, versions.first_seen_at)
    end as published_at
)
from {{ relation }} as versions
{% endmacro %}
