WITH zoned AS (
    SELECT f.*, c.name AS carrier_name, o.tzone AS origin_tz,
           CASE WHEN d.faa IS NOT NULL THEN d.tzone
                WHEN f.dest IN ('SJU', 'BQN', 'PSE') THEN 'America/Puerto_Rico'
                WHEN f.dest = 'STT' THEN 'America/St_Thomas' END AS dest_tz,
           CASE WHEN f.dep_time IS NULL THEN 'cancelled'
                WHEN f.arr_delay IS NULL THEN 'diverted'
                ELSE 'completed' END AS status,
           f.time_hour + to_minutes(f.sched_dep_time % 100) AS scheduled_departure_utc
    FROM oracle.raw_flights f
    LEFT JOIN ops.airlines c ON c.carrier = f.carrier
    LEFT JOIN ops.airports o ON o.faa = f.origin
    LEFT JOIN ops.airports d ON d.faa = f.dest
),
arrivals AS (
    SELECT *, list_min(list_filter(
        [instant(dest_tz, wall_time(flight_date, sched_arr_time)),
         instant(dest_tz, wall_time(flight_date + 1, sched_arr_time)),
         instant(dest_tz, wall_time(flight_date + 2, sched_arr_time))],
        lambda arrival: arrival > scheduled_departure_utc)) AS scheduled_arrival_utc
    FROM zoned
),
timed AS (
    SELECT *,
           CASE WHEN status <> 'cancelled' THEN scheduled_departure_utc + to_minutes(dep_delay) END AS actual_departure_utc,
           CASE WHEN status = 'completed' THEN scheduled_arrival_utc + to_minutes(arr_delay) END AS actual_arrival_utc
    FROM arrivals
)
SELECT t.flight_date, t.carrier, t.carrier_name, t.flight, t.origin, t.dest, t.tailnum, t.origin_tz, t.dest_tz, t.status,
       t.scheduled_departure_utc, t.actual_departure_utc, t.scheduled_arrival_utc, t.actual_arrival_utc,
       date_diff('day', t.flight_date,
                 timezone(t.dest_tz, coalesce(t.actual_arrival_utc, t.scheduled_arrival_utc))::DATE)::INTEGER
           AS arrival_day_offset,
       (date_diff('second', t.scheduled_departure_utc, t.scheduled_arrival_utc) // 60)::INTEGER AS scheduled_minutes,
       (date_diff('second', t.actual_departure_utc, t.actual_arrival_utc) // 60)::INTEGER AS actual_minutes,
       t.dep_delay, t.arr_delay, t.air_time, t.distance,
       w.origin IS NULL AS weather_missing,
       w.temp, w.dewp, w.humid, w.wind_dir,
       CASE WHEN w.wind_speed <= 200 THEN w.wind_speed END AS wind_speed,
       w.wind_gust, w.precip, w.pressure, w.visib
FROM timed t
LEFT JOIN oracle.raw_weather w ON w.origin = t.origin AND w.time_hour = t.time_hour
