-- Every flight of the day is in exactly one row of the mart
with counted as (
    select coalesce(sum(scheduled_flights), 0) as flights
    from {{ ref('route_daily') }}
    where flight_date = {{ ds() }}
),

expected as (
    select count(*) as flights
    from {{ source('curated', 'flights') }}
    where flight_date = {{ ds() }}
)

select counted.flights, expected.flights as expected_flights
from counted
cross join expected
where counted.flights <> expected.flights
