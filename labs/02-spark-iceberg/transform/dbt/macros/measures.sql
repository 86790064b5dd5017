{#- What both marts count. Integers are summed, and divided once: no order of rows can change a digit. -#}
{% macro delay_measures() -%}
    count(*) as scheduled_flights,
    count_if(status = 'completed') as completed_flights,
    count_if(status = 'cancelled') as cancelled_flights,
    count_if(status = 'diverted') as diverted_flights,
    coalesce(sum(cast(dep_delay as bigint)), 0) as dep_delay_minutes,
    coalesce(sum(cast(arr_delay as bigint)), 0) as arr_delay_minutes,
    {{ average('sum(cast(dep_delay as bigint))', 'count(dep_delay)', 9, 2) }} as avg_dep_delay,
    {{ average('sum(cast(arr_delay as bigint))', 'count(arr_delay)', 9, 2) }} as avg_arr_delay,
    max(arr_delay) as max_arr_delay,
    count_if(arr_delay >= 15) as late_arrivals,
    {{ average('count_if(arr_delay < 15)', 'count(arr_delay)', 5, 4) }} as on_time_rate,
    count_if(weather_missing) as weather_missing_flights,
    coalesce(sum(case when status = 'completed' then cast(distance as bigint) end), 0) as distance_miles
{%- endmacro %}

{#- total / number as a decimal, rounded half away from zero; NULL where the number is 0. -#}
{% macro average(total, number, precision, scale) -%}
    cast(round(cast({{ total }} as decimal(20, 0)) / nullif(cast({{ number }} as decimal(20, 0)), 0), {{ scale }}) as decimal({{ precision }}, {{ scale }}))
{%- endmacro %}
