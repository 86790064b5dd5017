-- The flights of one day, with what the marts count
select
    flight_date,
    carrier,
    carrier_name,
    origin,
    dest,
    status,
    dep_delay,
    arr_delay,
    distance,
    weather_missing
from {{ source('curated', 'flights') }}
where flight_date = {{ ds() }}
