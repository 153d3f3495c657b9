"""What apt would do: parsed from `apt-get --simulate`, and evaluated before anything is done."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from ..host import dpkg

_INST = re.compile(
    r"^Inst (?P<name>\S+?)(?::\w+)?(?: \[(?P<old>[^\]]+)\])? \((?P<new>\S+) (?P<origin>.*?)(?: \[\w+\])?\)"
)
_GONE = re.compile(r"^(?:Remv|Purg) (?P<name>\S+?)(?::\w+)? \[(?P<old>[^\]]+)\]")


@dataclass
class Change:
    """A simulated transaction. install and upgrade: name to (old or None, new, origin); remove: name to old version."""

    install: dict[str, tuple[str | None, str, str]] = field(default_factory=dict)
    remove: dict[str, str] = field(default_factory=dict)

    @property
    def empty(self) -> bool:
        """Whether apt would do nothing."""
        return not self.install and not self.remove

    def lines(self) -> list[str]:
        """Return one line per package, as a diff shows it."""
        out = [f"remove {name} {old}" for name, old in sorted(self.remove.items())]
        for name, (old, new, _origin) in sorted(self.install.items()):
            out.append(f"upgrade {name} {old} to {new}" if old else f"install {name} {new}")
        return out


def parse_simulation(text: str) -> Change:
    """Read the Inst, Remv and Purg lines of `apt-get --simulate`."""
    change = Change()
    for line in text.splitlines():
        match = _INST.match(line)
        if match:
            change.install[match["name"]] = (match["old"], match["new"], match["origin"])
            continue
        match = _GONE.match(line)
        if match:
            change.remove[match["name"]] = match["old"]
    return change


def unwanted_removals(change: Change, allowed: Iterable[str]) -> list[str]:
    """Return the names that apt would remove and that match none of the regular expressions."""
    patterns = [re.compile(pattern) for pattern in allowed]
    return sorted(name for name in change.remove if not any(pattern.search(name) for pattern in patterns))


def forbidden_installs(change: Change, forbidden: Iterable[str]) -> list[str]:
    """Return the names that apt would newly install and that match one of the regular expressions."""
    patterns = [re.compile(pattern) for pattern in forbidden]
    fresh = (name for name, (old, _new, _origin) in change.install.items() if old is None)
    return sorted(name for name in fresh if any(pattern.search(name) for pattern in patterns))


def after(before: Mapping[str, dpkg.Package], change: Change) -> dict[str, str]:
    """Return name to version as it would be after the change."""
    now = {name: package.version for name, package in before.items() if package.installed}
    for name in change.remove:
        now.pop(name, None)
    for name, (_old, new, _origin) in change.install.items():
        now[name] = new
    return now


def pick_version(versions: Iterable[str], upstream: str) -> str | None:
    """Return the first of apt's versions (best first) whose upstream part is the given one, or begins with it and a
    dot.
    """
    for version in versions:
        bare = version.partition(":")[2] or version
        if re.match(re.escape(upstream) + r"(?=$|[-+~.])", bare):
            return version
    return None


def pick_built_for(versions: Iterable[str], ending: str) -> str | None:
    """Return the first of apt's versions (best first) that is built for a toolkit: that ends with +cuda13.1.

    Where there is none, the one for the newest toolkit before it of the same major version, whose CUDA is the same to
    programs; NCCL is not built for every toolkit.
    """
    known = list(versions)
    exact = next((version for version in known if version.endswith(ending)), None)
    major, minor = map(int, ending.removeprefix("+cuda").split("."))
    found = [(version, re.search(r"[+]cuda(\d+)[.](\d+)$", version)) for version in known]
    older = {
        version: int(match[2]) for version, match in found if match and int(match[1]) == major and int(match[2]) < minor
    }
    return exact or max(older, key=lambda version: older[version], default=None)
