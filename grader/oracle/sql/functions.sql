-- avg(s, n) to k digits, half away from zero, in integers; NULL where n = 0.
CREATE OR REPLACE MACRO half_up(s, n, k) AS
    CASE WHEN n > 0 THEN sign(s) * ((2 * abs(s) * (10 ** k)::BIGINT + n) // (2 * n)) / 10 ** k END;

-- A wall time as an instant. ICU reads a skipped one with the offset before the change, as java.time does, but of one that
-- occurs twice it takes the second: an hour earlier is the first, where it shows the same wall time.
CREATE OR REPLACE MACRO instant(zone, wall) AS
    CASE WHEN timezone(zone, timezone(zone, wall) - INTERVAL 1 HOUR) = wall
         THEN timezone(zone, wall) - INTERVAL 1 HOUR
         ELSE timezone(zone, wall) END;

-- HHMM on a day as a wall time; 2400 is 00:00 of the next day.
CREATE OR REPLACE MACRO wall_time(day, hhmm) AS
    day::TIMESTAMP + INTERVAL (hhmm // 100) HOUR + INTERVAL (hhmm % 100) MINUTE;
