"""The embedded platform: Argo manifests, Spark, Iceberg and PostgreSQL on one machine without containers."""
