"""Which partitions hold content computed from a bad input, which run wrote them, and how they are repaired."""
