"""What cells of labs call: `check("M03")`, a grade as a float; `draw("run")`, a picture. Other processes make both.

Importing this package is light: no Spark, no database, nothing that could write to stderr.
"""

from grader.notebook.check import check
from grader.notebook.errors import CouldNotDraw, CouldNotGrade
from grader.notebook.picture import draw

__all__ = ["CouldNotDraw", "CouldNotGrade", "check", "draw"]
