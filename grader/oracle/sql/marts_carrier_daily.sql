SELECT flight_date, carrier, any_value(carrier_name) AS carrier_name,
       count(*) AS scheduled_flights,
       count(*) FILTER (status = 'completed') AS completed_flights,
       count(*) FILTER (status = 'cancelled') AS cancelled_flights,
       count(*) FILTER (status = 'diverted') AS diverted_flights,
       coalesce(sum(dep_delay), 0)::BIGINT AS dep_delay_minutes,
       coalesce(sum(arr_delay), 0)::BIGINT AS arr_delay_minutes,
       half_up(coalesce(sum(dep_delay), 0)::BIGINT, count(dep_delay), 2)::DECIMAL(9, 2) AS avg_dep_delay,
       half_up(coalesce(sum(arr_delay), 0)::BIGINT, count(arr_delay), 2)::DECIMAL(9, 2) AS avg_arr_delay,
       max(arr_delay) AS max_arr_delay,
       count(*) FILTER (arr_delay >= 15) AS late_arrivals,
       half_up(count(*) FILTER (arr_delay < 15), count(arr_delay), 4)::DECIMAL(5, 4) AS on_time_rate,
       count(*) FILTER (weather_missing) AS weather_missing_flights,
       coalesce(sum(distance) FILTER (status = 'completed'), 0)::BIGINT AS distance_miles
FROM oracle.curated_flights
GROUP BY flight_date, carrier
