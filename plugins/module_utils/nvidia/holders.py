"""Who uses the driver now: daemons that a change of it stops and starts again, and programs that it leaves alone.

A process is found by what it holds: an open /dev/nvidia*, or a mapped libnvidia-ml, libcuda or OpenGL library of the
driver. Only a system service whose own main process merely watches the GPUs (persistence daemon, DCGM, exporters,
power meters) is stopped; what computes or draws, and whatever a person started, is reported.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from ..host.files import text_of
from ..host.units import parse_show, show_command
from .apt import Runner

_DEVICE = "/dev/nvidia"
_LIBRARY = re.compile(r"/libnvidia-ml\.so|/libcuda\.so")
# Computing or drawing: ends only when its owner ends it.
_WORK = re.compile(r"/libcuda\.so|/libnvidia-(?:gl|egl|rt)core\.so|/lib(?:GLX|EGL)_nvidia\.so|/nvidia_drv\.so")
_SERVICE = re.compile(r":/system\.slice/(?:[^/]+\.slice/)*([^/]+\.service)(?:/|$)", re.MULTILINE)
_FIRST_PERSON, _FIRST_DYNAMIC, _LAST_DYNAMIC, _NOBODY = 1000, 61184, 65519, 65534  # adduser.conf(5), systemd's UIDs


@dataclass(frozen=True)
class Holder:
    """A process that uses the driver. unit: its system service or ""; works: whether it computes or draws."""

    pid: int
    command: str
    uid: int
    unit: str
    works: bool

    @property
    def of_a_person(self) -> bool:
        """Whether it runs as an account that people log in with."""
        return _FIRST_PERSON <= self.uid < _NOBODY and not _FIRST_DYNAMIC <= self.uid <= _LAST_DYNAMIC


def _opens_a_device(process: Path) -> bool:
    try:
        return any(str(link.readlink()).startswith(_DEVICE) for link in (process / "fd").iterdir())
    except OSError:
        return False


def read_holders(root: Path = Path("/")) -> list[Holder]:
    """Return the processes that use the driver, by process id."""
    found = []
    for process in (root / "proc").glob("[0-9]*"):
        maps = text_of(process / "maps")
        if not (_LIBRARY.search(maps) or _WORK.search(maps) or _DEVICE in maps or _opens_a_device(process)):
            continue
        uid = re.search(r"^Uid:\s+(\d+)", text_of(process / "status"), re.MULTILINE)
        service = _SERVICE.search(text_of(process / "cgroup"))
        found.append(
            Holder(
                pid=int(process.name),
                command=text_of(process / "comm") or "?",
                uid=int(uid[1]) if uid else 0,
                unit=service[1] if service else "",
                works=bool(_WORK.search(maps)),
            )
        )
    return sorted(found, key=lambda holder: holder.pid)


def units_to_stop(found: Sequence[Holder], runner: Runner) -> list[str]:
    """Return the services whose main process only watches the GPUs, with nothing of a person and no work in them."""
    units = sorted({holder.unit for holder in found if holder.unit})
    if not units:
        return []
    shown = parse_show(runner(show_command(units, "MainPID")).out)
    out = []
    for unit in units:
        inside = [holder for holder in found if holder.unit == unit]
        if any(holder.works or holder.of_a_person for holder in inside):
            continue
        if shown.get(unit, {}).get("MainPID") in {str(holder.pid) for holder in inside}:
            out.append(unit)
    return out


def stop(units: Iterable[str], runner: Runner) -> list[str]:
    """Stop the services; return those that stopped, each to be started again."""
    return [unit for unit in units if runner(["systemctl", "stop", unit]).rc == 0]


def start(units: Iterable[str], runner: Runner) -> list[str]:
    """Start the services again; return a sentence for each that does not start before the machine is restarted."""
    notes = []
    for unit in units:
        if runner(["systemctl", "start", unit]).rc != 0:
            runner(["systemctl", "reset-failed", unit])
            notes.append(f"{unit} was stopped for the change and does not start with the module that is still loaded")
    return notes


def report(found: Iterable[Holder], stopped: Iterable[str]) -> list[str]:
    """Return a sentence about the programs that were left running; none when there are none."""
    ended = set(stopped)
    left = [f"{item.command} (pid {item.pid}, uid {item.uid})" for item in found if item.unit not in ended]
    if not left:
        return []
    more = f" and {len(left) - 8} more" if len(left) > 8 else ""
    return [f"left running with the driver as it was, until they end: {', '.join(left[:8])}{more}"]
