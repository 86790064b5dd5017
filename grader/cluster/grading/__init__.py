"""Grading on a real cluster: the same checks, over live objects, tables, logs and events."""
