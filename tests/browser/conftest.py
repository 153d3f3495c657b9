"""The fixture `browser`. Suites elsewhere take it with `from chromium import chromium` or by naming this file."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from chromium import chromium
from playwright.sync_api import Browser


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Headless Chromium, one for the whole run."""
    with chromium() as running:
        yield running
