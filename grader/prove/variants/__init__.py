"""Right solutions written in other ways; every check that looks at them must pass."""
