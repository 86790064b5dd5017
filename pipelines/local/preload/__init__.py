"""A Python that has imported the heavy libraries already, and forks a step's interpreter in milliseconds.

Importing PySpark, pyiceberg and dbt costs half a second to three seconds of processor time in every step. One server
process imports them once; each step is a fork of it with its own arguments, environment, folder and descriptors. A
step sees a fresh `__main__` and imports the pipeline's code itself: only libraries are shared, never code under test.
"""

from pipelines.local.preload.client import Child, ForkServer
from pipelines.local.preload.interpreter import become, can_become

__all__ = ["Child", "ForkServer", "become", "can_become"]
