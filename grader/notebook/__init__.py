"""What cells of labs call; everything runs in other processes.

`check("M03")` gives a grade as a float, `draw("run")` a picture, `sql("SELECT …")` rows of your tables,
`batchlab("run hello.yaml")` runs the command line, and `sample()` tells which days are graded.
Importing this package is light: no Spark, no database, nothing that could write to stderr.
"""

from grader.notebook.check import check
from grader.notebook.errors import CouldNotDraw, CouldNotGrade
from grader.notebook.picture import draw
from grader.notebook.sample import sample
from grader.notebook.shell import CouldNotRun, batchlab
from grader.notebook.tables import CouldNotAsk, sql

__all__ = ["CouldNotAsk", "CouldNotDraw", "CouldNotGrade", "CouldNotRun", "batchlab", "check", "draw", "sample", "sql"]
