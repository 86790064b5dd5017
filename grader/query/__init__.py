"""Spark SQL on the tables of a state directory, for people who look at what a run left."""

from grader.query.ask import Answer, ask

__all__ = ["Answer", "ask"]
