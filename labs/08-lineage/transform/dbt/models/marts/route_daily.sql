select
    flight_date,
    origin,
    dest,
    count(distinct carrier) as carriers,
    {{ delay_measures() }}
from {{ ref('stg_flights') }}
group by flight_date, origin, dest
