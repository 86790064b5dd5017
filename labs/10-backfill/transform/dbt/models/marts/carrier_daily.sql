select
    flight_date,
    carrier,
    carrier_name,
    {{ delay_measures() }}
from {{ ref('stg_flights') }}
group by flight_date, carrier, carrier_name
