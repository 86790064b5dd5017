"""The proof of the grader: wrong solutions that it must fail by the intended check, right ones that it must pass."""
