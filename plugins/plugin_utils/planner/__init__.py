"""Decide which driver, CUDA, cuDNN and frameworks fit a machine.

Pure Python, standard library only, no input or output: facts and preferences in, plan out. It runs on the controller:
the same code serves the action plugin machine_plan, the command line and the tests.

    from .planner import plan
    result = plan(facts, preferences)
"""

from __future__ import annotations
