"""Run one apt transaction: simulate, validate, download, execute, and put things back when a package fails to
configure.
"""

from __future__ import annotations

import os
import re
import subprocess
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from ..host import apt_policy, dpkg
from . import aptsim

_LOCK_ATTEMPTS, _LOCK_PAUSE = 60, 5.0
_LOCKED = re.compile(r"(?:Could not get lock|was locked by)(?:.* (?:held by process|with pid) (?P<pid>[0-9]+))?")
_COMPLAINT = re.compile(r"^[EW]: .*$", re.MULTILINE)
Runner = Callable[[Sequence[str]], "Done"]
# Options of every module that runs one transaction; plugins/doc_fragments/apt_transaction.py documents them.
SHARED: dict[str, dict[str, object]] = {
    "hold": {"type": "bool", "default": True},
    "sources_pending": {"type": "bool", "default": False},
}
OPTIONS = [
    "-o", "DPkg::Lock::Timeout=300",
    "-o", "Dpkg::Options::=--force-confdef",
    "-o", "Dpkg::Options::=--force-confold",
    "-o", "Dpkg::Use-Pty=0",
    "-o", "APT::Color=0",
]  # fmt: skip


class Refused(Exception):
    """The transaction is not to be done; the message says why and what to do."""


class Failed(Exception):
    """The transaction was tried and failed; the message has the output that matters."""


def lock_holder(text: str) -> str:
    """Return who has the lock that apt or dpkg did not get, by its words: "apt-get (process 812)"; "" without such."""
    match = _LOCKED.search(text)
    if not match:
        return ""
    if not match["pid"]:
        return "another program"
    try:
        name = Path("/proc", match["pid"], "comm").read_text(encoding="utf-8", errors="replace").strip()
    except OSError:  # it has just ended
        name = "another program"
    return f"{name} (process {match['pid']})"


@dataclass(frozen=True)
class Done:
    """A finished command: exit status, standard output, standard error."""

    rc: int
    out: str
    err: str

    def tail(self, lines: int = 15) -> str:
        """Return the end of what it said."""
        return "\n".join((self.out.strip() + "\n" + self.err.strip()).strip().splitlines()[-lines:])


@dataclass
class Request:
    """What to install and remove in one go.

    install: names, or name=version; remove: names; allow_remove: patterns of names that may go besides `remove`;
    forbid_install: patterns of names that must not come; recommends: install recommended packages too; forceful: move
    held packages, go back to older versions, and purge what goes; lock_timeout: seconds to wait for dpkg's lock.
    """

    install: list[str]
    remove: list[str] = field(default_factory=list)
    allow_remove: list[str] = field(default_factory=list)
    forbid_install: list[str] = field(default_factory=list)
    recommends: bool = False
    forceful: bool = True
    lock_timeout: int = 300


def run(argv: Sequence[str]) -> Done:
    """Run a command without a terminal, with apt and needrestart silent, in the C locale."""
    env = {
        **os.environ,
        "LC_ALL": "C.UTF-8",
        "DEBIAN_FRONTEND": "noninteractive",
        "DEBIAN_PRIORITY": "critical",
        "NEEDRESTART_SUSPEND": "1",
        "APT_LISTCHANGES_FRONTEND": "none",
    }
    try:
        done = subprocess.run(list(argv), capture_output=True, text=True, errors="replace", check=False, env=env)
    except FileNotFoundError as error:
        return Done(127, "", str(error))
    return Done(done.returncode, done.stdout, done.stderr)


class Apt:
    """apt and dpkg on this host; both arguments are replaced in tests."""

    def __init__(
        self, runner: Runner = run, packages: Callable[[], dict[str, dpkg.Package]] = dpkg.read_packages
    ) -> None:
        """Keep what runs commands, and what reads dpkg's database."""
        self.run, self.packages = runner, packages

    def policy(self, names: Sequence[str]) -> dict[str, apt_policy.PackagePolicy]:
        """Return what the repositories offer of these names."""
        return apt_policy.parse(self.run(["apt-cache", "policy", *names]).out) if names else {}

    def candidates(self, names: Sequence[str]) -> dict[str, str]:
        """Return name to candidate version, without names that have none."""
        offered = self.policy(names)
        return {name: policy.candidate for name, policy in offered.items() if policy.candidate}

    def refresh(self, source: str) -> str:
        """Read the package lists of one source file; return apt's words when it complains, "" when all is well."""
        alone = [f"Dir::Etc::sourcelist={source}", "Dir::Etc::sourceparts=/dev/null", "APT::Get::List-Cleanup=0"]
        options = [word for option in [*alone, "APT::Update::Error-Mode=any"] for word in ("-o", option)]
        for _attempt in range(_LOCK_ATTEMPTS):
            done = self.run(["apt-get", *OPTIONS, *options, "update"])
            if not lock_holder(done.err):
                break
            time.sleep(_LOCK_PAUSE)  # DPkg::Lock::Timeout does not cover the lists, which apt's own timers read too
        if done.rc == 0:
            done = self.run(["apt-cache", "policy"])  # all sources together: two entries may contradict each other
        return "" if done.rc == 0 else "\n".join(_COMPLAINT.findall(done.out + "\n" + done.err)) or done.tail()

    def repair(self) -> list[str]:
        """Finish what an aborted run left half done; return the names. A package that will not configure is left to
        the transaction.
        """
        broken = sorted(name for name, package in self.packages().items() if package.unfinished)
        if broken:
            self.run(["dpkg", "--configure", "-a", "--force-confdef", "--force-confold"])
        return broken

    def simulate(self, request: Request) -> aptsim.Change:
        """Return what apt would do, or raise Refused with apt's own explanation."""
        done = self.run(["apt-get", "--simulate", *self._arguments(request)])
        if done.rc != 0:
            raise Refused("apt finds no solution:\n" + _explanation(done))
        return aptsim.parse_simulation(done.out)

    def validate(self, request: Request, change: aptsim.Change) -> None:
        """Raise Refused when the simulated change does what the request forbids."""
        allowed = [*request.allow_remove, *(f"^{name}$".replace("+", r"\+") for name in request.remove)]
        lost = aptsim.unwanted_removals(change, allowed)
        if lost:
            raise Refused("apt would also remove " + ", ".join(lost))
        extra = aptsim.forbidden_installs(change, request.forbid_install)
        if extra:
            raise Refused("apt would also install " + ", ".join(extra))

    def execute(self, request: Request) -> None:
        """Download everything, then install and remove in one apt run; raise Failed with the output when it fails."""
        done = self.run(["apt-get", "--yes", "--download-only", *self._arguments(request)])
        if done.rc != 0:
            raise Failed("download failed, nothing was changed:\n" + _explanation(done))
        done = self.run(["apt-get", "--yes", *self._arguments(request)])
        if done.rc != 0:
            raise Failed(_explanation(done))

    def roll_back(self, before: dict[str, dpkg.Package], change: aptsim.Change) -> str:
        """Undo a failed change: remove what was new, bring back what was there. Return what is left to say, "" when
        all is well.
        """
        fresh = [name for name, (old, _new, _origin) in change.install.items() if old is None]
        back = {name: old for name, (old, _new, _origin) in change.install.items() if old is not None}
        back.update(change.remove)
        now = self.packages()
        fresh = [name for name in fresh if name in now and now[name].installed]
        offered = self.policy(sorted(back))
        known = {(name, one.version) for name, policy in offered.items() for one in policy.versions}
        wanted = [f"{name}={old}" for name, old in sorted(back.items()) if (name, old) in known]
        request = Request(install=wanted, remove=fresh)
        done = self.run(["apt-get", "--yes", "--fix-broken", *self._arguments(request)])
        if done.rc != 0 and fresh:
            self.run(["dpkg", "--remove", "--force-remove-reinstreq", "--force-depends", *fresh])
            self.run(["apt-get", "--yes", "--fix-broken", *OPTIONS, "install"])
        audit, check = self.run(["dpkg", "--audit"]), self.run(["apt-get", "check"])
        if audit.out.strip() or check.rc != 0:
            return "packages are left half installed, `sudo dpkg --configure -a` shows which:\n" + audit.out + check.err
        missing = sorted(name for name, old in back.items() if f"{name}={old}" not in wanted)
        return "no longer in the repository, so not brought back: " + ", ".join(missing) if missing else ""

    def held(self) -> set[str]:
        """Return the names on hold."""
        return {name for name, package in self.packages().items() if package.want == "hold"}

    def select(self, names: Sequence[str], selection: str) -> None:
        """Set dpkg's selection ("hold" or "install") of the names."""
        if names:
            done = self.run(["apt-mark", "hold" if selection == "hold" else "unhold", *names])
            if done.rc != 0:
                raise Failed(f"could not set {selection} on {', '.join(names)}: {done.tail()}")

    @staticmethod
    def _arguments(request: Request) -> list[str]:
        recommends = "--install-recommends" if request.recommends else "--no-install-recommends"
        flags = ["--purge", "--allow-change-held-packages", "--allow-downgrades"] if request.forceful else []
        flags += ["-o", f"DPkg::Lock::Timeout={request.lock_timeout}", "--no-auto-remove", recommends]
        return [*OPTIONS, *flags, "install", *request.install, *(name + "-" for name in request.remove)]


def _explanation(done: Done) -> str:
    """Return the part of apt's output that a person needs: from the unmet dependencies or the first error on."""
    lines = (done.out + "\n" + done.err).splitlines()
    for mark in ("The following packages have unmet dependencies", "E: "):
        for number, line in enumerate(lines):
            if line.startswith(mark):
                return "\n".join(lines[number : number + 25]).strip()
    return done.tail()
