{#- What may be said of a change in holdings. The one place of the wording rule: a fall is no sale and a rise no purchase;
    "net sales" stands only where net transactions are below zero. -#}
{% macro change_statement(change, net, valuation, other, breaks) %}
case
    when {{ change }} is null
        then null
    when {{ breaks }}
        then 'a new survey series starts: the change from the month before says nothing'
    else
        case
            when {{ change }} = 0 then 'holdings did not change'
            else
                if({{ change }} > 0, 'holdings rose by ', 'holdings fell by ')
                || if(abs({{ change }}) < 0.05, 'less than 0.1 bn', format('{:.1f} bn', abs({{ change }})))
        end
        || case
            when {{ net }} is null or {{ valuation }} is null then '; transactions and prices are not published'
            else
                ': ' || case
                    when {{ net }} = 0 then 'no net transactions'
                    else
                        if({{ net }} > 0, 'net purchases ', 'net sales ')
                        || if(abs({{ net }}) < 0.05, 'below 0.1', format('{:.1f}', abs({{ net }})))
                end
                -- Added to 0, -0.0 is 0.0.
                || format(', price changes {:+.1f}, other {:+.1f}', 0 + round({{ valuation }}, 1), 0 + round({{ other }}, 1))
                || case
                    when abs({{ other }}) > greatest(abs({{ net }}), abs({{ valuation }}))
                        then '; the cause is not identified'
                    else ''
                end
        end
end
{% endmacro %}
