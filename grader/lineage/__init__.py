"""Lineage by edges: what OpenLineage events say, what should be, and which workflow node made each snapshot."""
