-- A flight is completed, cancelled or diverted, and nothing else
select *
from {{ ref('route_daily') }}
where flight_date = {{ ds() }}
    and completed_flights + cancelled_flights + diverted_flights <> scheduled_flights
