"""The umask of a module: what it makes has the modes that it says, whatever umask the login or root has on the host."""

from __future__ import annotations

import functools
import os
from collections.abc import Callable


def with_umask(mask: int) -> Callable[[Callable[[], None]], Callable[[], None]]:
    """Return a decorator for a module's ``main``: it runs with this umask, then the process has its own again.

    Under mitogen that process goes on to run the next task's module.
    """

    def decorate(main: Callable[[], None]) -> Callable[[], None]:
        @functools.wraps(main)
        def wrapper() -> None:
            before = os.umask(mask)
            try:
                main()
            finally:
                os.umask(before)

        return wrapper

    return decorate
