"""The reusable unit of a batch data tier: Spark utilities for Iceberg partitions, and Argo templates that run them.

Everything here is told where things are by arguments, environment or Spark conf; nothing knows where it runs.
"""
