"""Wrong solutions, by what is changed; each is declared with the check that must fail it."""
