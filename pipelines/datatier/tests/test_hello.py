"""The smallest job refuses what it does not take; that it runs is tested where its manifest is."""

from __future__ import annotations

import pytest

from pipelines.datatier import hello
from pipelines.datatier.errors import BadParameter


def test_arguments_are_refused_before_spark_starts() -> None:
    """It has none, and says which it was given."""
    with pytest.raises(BadParameter, match="there are none, found --ds 2013-01-01"):
        hello.main(["--ds", "2013-01-01"])
