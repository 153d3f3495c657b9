"""mitogen_linear as mitogen has it, except that it compiles each source file once a run instead of once a module.

To learn what a module needs on the host, mitogen compiles the module and everything it imports, ansible's own helpers
among them, and remembers the answer for this module only. With some thirty modules in a run that is half of the
controller's work.
"""

from __future__ import annotations

import functools

import ansible_mitogen.module_finder
from ansible_mitogen.plugins.strategy.mitogen_linear import StrategyModule

__all__ = ["StrategyModule"]

# Found before the built-in of the same name; a mitogen that works otherwise does not look for it.
ansible_mitogen.module_finder.compile = functools.lru_cache(maxsize=None)(compile)
