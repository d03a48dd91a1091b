"""Lets the tests of this room import `made_organisms`, and keeps parsed annotation out of the user's cache."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[1]))


@pytest.fixture(scope="session", autouse=True)
def _own_cache(tmp_path_factory):
    # One folder for both rooms: parsing the real annotation takes seconds.
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GENOMEKIT_CACHE", str(tmp_path_factory.getbasetemp() / "parsed"))
        yield
