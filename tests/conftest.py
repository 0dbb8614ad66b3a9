"""What several test files share."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any

import pytest
import torch
from page_visits import WIDE, Visit, chromium

if "PYTEST_XDIST_WORKER" in os.environ:
    # Test files run side by side, and so do the commands that they start: threads would stand in each other's way.
    os.environ["OMP_NUM_THREADS"] = "1"
    torch.set_num_threads(1)


@pytest.fixture(autouse=True, scope="session")
def own_cache_folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Choices and converted models of the user's own, which would decide what a test runs, stay out of it."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.getbasetemp() / "cache"))
        yield


@pytest.fixture
def one_thread() -> Iterator[None]:
    """Tiny networks lose more to the hand-over between threads than they gain."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """Of a module and no more: two of them that are open at once stand in each other's way."""
    with chromium() as opened:
        yield opened


@pytest.fixture
def visit(browser: Any, site: str, request: pytest.FixtureRequest) -> Iterator[Visit]:
    """A visitor of the module's `site`, at a wide window, or as the test's parameter says: (viewport, colour scheme).

    All requests stay on this machine, and nothing goes wrong on the pages.
    """
    viewport, scheme = getattr(request, "param", (WIDE, "light"))
    made = Visit(browser, site, viewport, scheme)
    yield made
    made.context.close()
    assert made.outside == []
    assert made.wrong == []
