"""A headless Chromium, driven by Playwright: an installed one, else the one that Playwright has downloaded.

As a program it only tells whether there is one: exit status 0 or 1.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager

from playwright.sync_api import Browser, sync_playwright

# --no-sandbox: as root, as in CI, Chromium has no sandbox. The others keep it from calling home, which a test network
# may refuse many times per second.
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


# Browsers that Playwright can drive as they are. Ubuntu's chromium-browser is none: it only installs a snap.
PROGRAMS = ("chromium", "google-chrome", "google-chrome-stable", "microsoft-edge", "brave-browser")


def installed() -> str | None:
    """The first of the usual browsers on the PATH; None leaves the choice to Playwright."""
    return next((found for found in map(shutil.which, PROGRAMS) if found), None)


@contextmanager
def chromium() -> Iterator[Browser]:
    """A running browser; each page is to be opened in a context of its own, which starts without cookies.

    Raises Playwright's Error where none is installed.
    """
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=installed(), args=FLAGS)
        try:
            yield browser
        finally:
            browser.close()


if __name__ == "__main__":
    with chromium():
        pass
