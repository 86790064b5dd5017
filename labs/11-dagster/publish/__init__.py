"""Pipeline `publish`: a day of `lake.marts` becomes a day of `reporting` in PostgreSQL, and a webhook hears of it."""
