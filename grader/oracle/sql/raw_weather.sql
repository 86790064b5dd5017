SELECT make_date(year, month, day) AS flight_date, origin, time_hour, temp, dewp, humid, wind_dir, wind_speed, wind_gust,
       precip, pressure, visib
FROM ops.weather
SEMI JOIN days ON make_date(year, month, day) = days.ds
