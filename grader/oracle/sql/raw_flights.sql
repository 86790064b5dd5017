SELECT flight_date, carrier, flight, origin, dest, tailnum, sched_dep_time, dep_time, dep_delay, sched_arr_time, arr_time,
       arr_delay, air_time, distance, time_hour, recorded_at, delivery
FROM ops.flights
SEMI JOIN days ON flight_date = days.ds
WHERE recorded_at <= instant('America/New_York', (flight_date + 1)::TIMESTAMP)
                     + INTERVAL (24 * getvariable('allowed_lateness')) HOUR
QUALIFY row_number() OVER (
    PARTITION BY flight_date, carrier, flight, origin ORDER BY recorded_at DESC, delivery DESC) = 1
