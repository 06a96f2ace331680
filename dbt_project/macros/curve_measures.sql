{#- The measures of the curve's shape, each as a weighted sum of yields by tenor: slope AsBs = B - A, fly AsBsCs = 2B - A - C. -#}
{% macro curve_measures() %}
    {% set measures = [{'name': 'level_10y', 'unit': 'pct', 'weights': {10: 1}}] %}
    {% for a, b in [(2, 10), (5, 30), (10, 30), (10, 40), (20, 30), (30, 40)] %}
        {% do measures.append({'name': 'slope_%ds%ds' % (a, b), 'unit': 'bp', 'weights': {a: -1, b: 1}}) %}
    {% endfor %}
    {% for a, b, c in [(2, 5, 10), (5, 10, 20), (10, 20, 30)] %}
        {% do measures.append({'name': 'fly_%ds%ds%ds' % (a, b, c), 'unit': 'bp', 'weights': {a: -1, b: 2, c: -1}}) %}
    {% endfor %}
    {{ return(measures) }}
{% endmacro %}
