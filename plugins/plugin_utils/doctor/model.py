"""The doctor's vocabulary: a check, its outcome, and the register that all checks are in."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

OK, WARN, FAIL, NA = "ok", "warn", "fail", "na"
RESULTS = (FAIL, WARN, OK, NA)  # in the order in which a reader wants them
AREAS = ("gpu", "apt", "environments", "jupyter", "ssh", "firewall", "system")


@dataclass(frozen=True)
class Finding:
    """What one check found. `observed` is a sentence; `remedy` one line, empty exactly when nothing is to be done."""

    result: str
    observed: str
    remedy: str = ""
    subject: str = ""  # the environment, account or drive, for checks that look at several

    def __post_init__(self) -> None:
        """Refuse an unknown result, and a bad one without a remedy."""
        if self.result not in RESULTS:
            raise ValueError(f"result {self.result!r}: expected one of {', '.join(RESULTS)}")
        if self.result in (WARN, FAIL) and not self.remedy:
            raise ValueError(f"a {self.result} needs a remedy: {self.observed}")


def ok(observed: str, subject: str = "") -> Finding:
    """The check applies and all is well."""
    return Finding(OK, observed, "", subject)


def warn(observed: str, remedy: str, subject: str = "") -> Finding:
    """It works today, and the owner should know."""
    return Finding(WARN, observed, remedy, subject)


def fail(observed: str, remedy: str, subject: str = "") -> Finding:
    """Something is broken or unsafe."""
    return Finding(FAIL, observed, remedy, subject)


def na(reason: str, subject: str = "") -> Finding:
    """The check does not apply here; the reason says why."""
    return Finding(NA, reason, "", subject)


@dataclass(frozen=True)
class Context:
    """All that a check may look at.

    evidence: the probe's answer (see module_utils/probe); a collector that failed has the value None.
    outside:  what the controller saw: {"address", "open": [port...], "closed": [...], "why", "login", "audit"}.
    variables: the owner's variables for this host, from the inventory.
    """

    evidence: dict[str, Any]
    outside: dict[str, Any] = field(default_factory=dict)
    variables: dict[str, Any] = field(default_factory=dict)

    @property
    def plan(self) -> dict[str, Any]:
        """The plan that dlbox left on the host; empty when there is none."""
        return self.evidence.get("plan") or {}

    def variable(self, name: str, default: Any) -> Any:
        """An owner's variable; one that is still an unrendered template counts as not given."""
        value = self.variables.get(name, default)
        return default if isinstance(value, str) and "{{" in value else value


CheckFunction = Callable[[Context], Any]


@dataclass(frozen=True)
class Check:
    """A question about a host: its name ("area.subject"), what it needs of the probe, and its function."""

    name: str
    title: str
    needs: tuple[str, ...]
    function: CheckFunction
    quick: bool

    @property
    def area(self) -> str:
        """The part of the machine that the check is about."""
        return self.name.split(".", 1)[0]

    def run(self, context: Context) -> list[Finding]:
        """Evaluate; a collector that failed or an exception becomes a result, never a traceback."""
        reasons = context.evidence.get("errors", {})
        for need in self.needs:
            if need in reasons:
                return [
                    warn(
                        f"could not be read: {reasons[need]}",
                        "Run the doctor as root, then report this with its JSON output",
                    )
                ]
            if need not in context.evidence:
                return [na(f"not asked for ({need})")]
        try:
            found = self.function(context)
            outcomes = [found] if isinstance(found, Finding) else list(found)
        except Exception as error:  # a defect of the check itself, on a machine nobody has seen
            return [
                warn(
                    f"the check could not be evaluated: {type(error).__name__}: {error}",
                    "Report this with the doctor's JSON output",
                )
            ]
        return outcomes or [na("nothing of this kind on the host")]


REGISTRY: dict[str, Check] = {}


def check(name: str, needs: Iterable[str], quick: bool = False) -> Callable[[CheckFunction], CheckFunction]:
    """Put a function into the register; its docstring is the check's title.

    `needs` names collectors; `quick` checks also run at the end of every `up`.
    """
    if not re.fullmatch(r"[a-z]+\.[a-z0-9-]+", name) or name.split(".")[0] not in AREAS:
        raise ValueError(f"check name {name!r}: expected AREA.NAME with AREA one of {', '.join(AREAS)}")
    if name in REGISTRY:
        raise ValueError(f"check name {name!r} is taken")

    def register(function: CheckFunction) -> CheckFunction:
        REGISTRY[name] = Check(name, (function.__doc__ or "").rstrip("."), tuple(needs), function, quick)
        return function

    return register
