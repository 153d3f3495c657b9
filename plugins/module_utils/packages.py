"""Install packages that are missing: finish what a run that was cut off left, read old lists anew, install, repair."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from .host import apt_lists, dpkg
from .nvidia.apt import OPTIONS, Apt, Done, Failed, Refused, Request, lock_holder

# Anything else, such as git=1:2.53 or a file, is for apt to resolve.
_PLAIN = re.compile(r"[a-z0-9][a-z0-9+.-]+")
# Who waits for the lock is the controller, which can say so.
AT_ONCE = ("-o", "DPkg::Lock::Timeout=0")


class Locked(Exception):
    """Another program has apt's or dpkg's lock; the message says which."""


@dataclass
class Wanted:
    """What to install. max_age: seconds after which apt's lists are read anew, None to take them as they are."""

    names: Sequence[str]
    max_age: float | None = 86400.0
    root: Path = Path("/")

    def old_lists(self) -> bool:
        """Whether apt's lists have to be read anew."""
        return self.max_age is not None and time.time() - apt_lists.last_read(self.root) > self.max_age


@dataclass
class Outcome:
    """What was changed, or would be, a line each, and what the owner should know of a run that went well."""

    changes: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)


def ensure(apt: Apt, wanted: Wanted, check: bool) -> Outcome:
    """Install what is missing of the names.

    Raises Locked where another program is at work, and Refused or Failed with apt's words.
    """
    known, outcome = apt.packages(), Outcome()
    if others := [name for name in wanted.names if name not in known and (name.startswith("-") or name.endswith("-"))]:
        raise Refused(f"expected names of packages, not {', '.join(others)}: apt removes NAME for NAME-")
    unfinished = sorted(name for name, package in known.items() if package.unfinished)
    missing = [
        name for name in wanted.names if not _PLAIN.fullmatch(name) or name not in known or not known[name].configured
    ]
    if unfinished or dpkg.journal(wanted.root / "var/lib/dpkg"):
        outcome.changes.append("finish what was interrupted" + (f": {', '.join(unfinished)}" if unfinished else ""))
        if not check:
            # What it cannot finish is for the transaction to repair.
            _run(apt, "dpkg", "--configure", "-a", "--force-confdef", "--force-confold")
    if not missing:
        return outcome
    request = Request(install=missing, forceful=False, lock_timeout=0)
    if check:
        outcome.changes += _foretell(apt, wanted, request)
        return outcome
    old = wanted.old_lists()
    if old:
        outcome.warnings += _update(apt)
    try:
        outcome.changes += _install(apt, request)
    except (Refused, Failed):
        if wanted.max_age is not None and not old:
            outcome.warnings += _update(apt)
        # Packages that were unpacked without their dependencies when the power went.
        _run(apt, "apt-get", "--yes", "--fix-broken", "--no-install-recommends", *OPTIONS, *AT_ONCE, "install")
        try:
            outcome.changes += _install(apt, request)
        except (Refused, Failed) as failure:
            raise Failed("\n".join([str(failure), *outcome.warnings])) from failure
    return outcome


def _foretell(apt: Apt, wanted: Wanted, request: Request) -> list[str]:
    """Return what apt would do, or, where it would have to read its lists first, what it would be asked for."""
    try:
        return apt.simulate(request).lines()
    except Refused:
        if not wanted.old_lists():
            raise
        return [f"install {name}, after reading the package lists" for name in request.install]


def _install(apt: Apt, request: Request) -> list[str]:
    """Install; return a line per package, none where apt finds nothing to do."""
    change = apt.simulate(request)
    if not change.empty:
        _free(apt.execute, request)
    return change.lines()


def _update(apt: Apt) -> list[str]:
    """Read apt's lists; return apt's complaints as a warning: the packages may be there all the same."""
    done = _run(apt, "apt-get", "--quiet", "update")
    return [] if done.rc == 0 else [f"apt could not read all package lists: {done.tail(5)}"]


def _run(apt: Apt, *command: str) -> Done:
    done = apt.run(command)
    if holder := done.rc and lock_holder(done.err):
        raise Locked(holder)
    return done


def _free(work: Callable[[Request], None], request: Request) -> None:
    """Do the work; raise Locked where it failed because of another program."""
    try:
        work(request)
    except Failed as failure:
        if holder := lock_holder(str(failure)):
            raise Locked(holder) from failure
        raise
