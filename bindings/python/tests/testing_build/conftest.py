"""These need a build with PYCHATNIO_TESTING=1, and fail without it: see the target `python-tests` of the Makefile."""

from __future__ import annotations

import gc
from collections.abc import Iterator

import pytest

from pychatnio._native import lib


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Iterator[None]:
    """Every handle that a test has made is freed, once its variables are gone."""
    before: int = lib.chatnio_testing_live_handles()
    result = yield
    gc.collect()
    left: int = lib.chatnio_testing_live_handles() - before
    # What a failed test has made, its traceback keeps.
    if left > 0 and not item.session.testsfailed:
        raise AssertionError(f"{item.nodeid} has left {left} handles")
    return result
