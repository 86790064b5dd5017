"""Configuration of nbgrader, for the checkout's top folder; docs/instructor.md says how to use it.

Everything that holds names, marks or solutions is under `course/`, which git ignores.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from nbconvert.preprocessors import ClearMetadataPreprocessor
from nbgrader.preprocessors import (
    AssignLatePenalties,
    CheckCellMetadata,
    ClearOutput,
    DeduplicateIds,
    IgnorePattern,
    LimitOutput,
    OverwriteKernelspec,
)

from grader.notebook.outside import GradeOutside, RestoreCells, SaveGrades, drop_links

c: Any = get_config()  # type: ignore[name-defined] # noqa: F821 - nbgrader puts it there

c.CourseDirectory.course_id = "batchlab"
c.CourseDirectory.source_directory = "course/source"  # written by `make labs` from solutions/
c.CourseDirectory.release_directory = "labs"
c.CourseDirectory.submitted_directory = "course/submitted"
c.CourseDirectory.autograded_directory = "course/autograded"
c.CourseDirectory.feedback_directory = "course/feedback"
c.CourseDirectory.db_url = f"sqlite:///{Path('course', 'gradebook.db').absolute()}"
c.CourseDirectory.ignore = [".ipynb_checkpoints", "*.pyc", "__pycache__", ".batchlab", ".venv", ".git"]

# A check runs pipelines: minutes, not nbgrader's 30 s. It stops itself before nbgrader would.
c.Execute.timeout = 1500

# Autograding: the learner's own cells have a minute each; checks are graded outside of the learner's kernel.
c.Autograde.autograde_preprocessors = [
    GradeOutside,
    IgnorePattern,
    ClearMetadataPreprocessor,
    LimitOutput,
    SaveGrades,
    AssignLatePenalties,
    CheckCellMetadata,
]
c.Autograde.pre_convert_hook = drop_links
c.GradeOutside.timeout = 60
c.GradeOutside.check_seconds = 1200.0
c.GradeOutside.options = ["--autograde"]
c.GradeOutside.hidden = os.environ.get("BATCHLAB_HIDDEN", "")

# Without these, who deletes a graded cell has no grade, and who edits a file beside the notebook loses the edits.
c.Autograde.sanitize_preprocessors = [
    ClearOutput,
    DeduplicateIds,
    OverwriteKernelspec,
    RestoreCells,
    CheckCellMetadata,
]
c.OverwriteCells.add_missing_cells = True
c.Autograde.exclude_overwriting = {
    lab.name: [str(path.relative_to(lab)) for path in lab.rglob("*") if path.is_file()]
    for lab in Path("course", "source").glob("*")
}
