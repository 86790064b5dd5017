"""`check("M03")` in a notebook: the grade of one item as a float, computed in another process.

Importing this package is light: no Spark, no database, nothing that could write to stderr.
"""

from grader.notebook.check import check
from grader.notebook.errors import CouldNotGrade

__all__ = ["CouldNotGrade", "check"]
