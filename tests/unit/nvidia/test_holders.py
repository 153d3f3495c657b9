"""What watches the GPUs is stopped for a change of the driver and started again; work and people are left alone."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest
from ansible_collections.dlbox.workstation.plugins.module_utils.nvidia import holders
from ansible_collections.dlbox.workstation.plugins.module_utils.nvidia.apt import Done

LIB = "7f00-7f01 r-xp 00000000 08:01 42 /usr/lib/x86_64-linux-gnu/"
NVML, CUDA = LIB + "libnvidia-ml.so.580.126.09", LIB + "libcuda.so.580.126.09"
DRAWS = LIB + "libnvidia-glcore.so.580.126.09"
SYSTEM, USER = 110, 1000


def process(
    root: Path, pid: int, command: str, group: str, *, uid: int = SYSTEM, maps: str = "", device: str = ""
) -> None:
    """A process as /proc has it: its group of systemd's, its account, what it mapped and opened."""
    folder = root / "proc" / str(pid)
    (folder / "fd").mkdir(parents=True)
    (folder / "comm").write_text(command + "\n")
    (folder / "cgroup").write_text(f"0::{group}\n")
    (folder / "status").write_text(f"Name:\t{command}\nUid:\t{uid}\t{uid}\t{uid}\t{uid}\n")
    (folder / "maps").write_text(maps + "\n")
    (folder / "fd/0").symlink_to("/dev/null")
    if device:
        (folder / "fd/3").symlink_to(device)


class Systemd:
    """A stand-in for systemctl: main processes by unit, and units that do not start any more."""

    def __init__(self, main: dict[str, int], broken: Sequence[str] = ()) -> None:
        self.main, self.broken, self.calls = main, broken, list[list[str]]()

    def __call__(self, argv: Sequence[str]) -> Done:
        self.calls.append(list(argv[1:]))
        if argv[1] == "show":
            return Done(0, "\n".join(f"MainPID={self.main.get(unit, 0)}\nId={unit}\n" for unit in argv[3:]), "")
        return Done(1 if argv[1] == "start" and argv[2] in self.broken else 0, "", "")


SERVICES = {
    "nvidia-persistenced": {"device": "/dev/nvidiactl"},
    "nvidia-dcgm": {"maps": NVML, "uid": 0},
    "prometheus-nvidia-exporter": {"maps": NVML, "uid": 61200},
    "gpu-meter": {"maps": NVML, "uid": 0},
}


def test_what_watches_is_stopped_and_started_again(tmp_path: Path) -> None:
    for pid, (name, given) in enumerate(SERVICES.items(), 100):
        process(tmp_path, pid, name[:15], f"/system.slice/{name}.service", **given)  # type: ignore[arg-type]
    process(tmp_path, 200, "cron", "/system.slice/cron.service", uid=0)
    found = holders.read_holders(tmp_path)
    assert [holder.pid for holder in found] == [100, 101, 102, 103], "who holds nothing is not named"
    systemd = Systemd({f"{name}.service": pid for pid, name in enumerate(SERVICES, 100)})
    units = holders.units_to_stop(found, systemd)
    assert units == sorted(f"{name}.service" for name in SERVICES)
    assert holders.stop(units, systemd) == units and holders.report(found, units) == []
    assert holders.start(units, systemd) == []
    assert [call for call in systemd.calls if call[0] == "start"] == [["start", unit] for unit in units]


@pytest.mark.parametrize(
    ("command", "group", "given", "main"),
    [
        ("python", "/user.slice/user-1000.slice/session-2.scope", {"maps": CUDA, "uid": USER}, True),
        ("nvtop", "/user.slice/user-1000.slice/session-2.scope", {"maps": NVML, "uid": USER}, True),
        (
            "jupyter-lab",
            "/system.slice/system-jupyterlab.slice/jupyterlab@ada.service",
            {"maps": NVML, "uid": USER},
            True,
        ),
        ("ollama", "/system.slice/ollama.service", {"maps": NVML + "\n" + CUDA, "uid": 998}, True),
        ("Xorg", "/system.slice/lightdm.service", {"maps": DRAWS, "device": "/dev/nvidiactl", "uid": 0}, False),
        ("python", "/system.slice/docker-0123abcd.scope", {"maps": CUDA, "uid": 0}, False),
        ("nvidia-smi", "/system.slice/cron.service", {"maps": NVML, "uid": 0}, False),
        ("qemu-system-x86", "/machine.slice/machine-qemu.scope", {"device": "/dev/nvidia0", "uid": 64055}, False),
    ],
    ids=["training", "a person's monitor", "JupyterLab", "a service that computes", "X", "a container", "cron", "a VM"],
)
def test_work_and_what_a_person_started_is_left_alone_and_named(
    tmp_path: Path, command: str, group: str, given: dict[str, object], main: bool
) -> None:
    process(tmp_path, 4711, command, group, **given)  # type: ignore[arg-type]
    found = holders.read_holders(tmp_path)
    units = holders.units_to_stop(found, Systemd({group.rpartition("/")[2]: 4711 if main else 1}))
    assert units == []
    (line,) = holders.report(found, units)
    assert line == f"left running with the driver as it was, until they end: {command} (pid 4711, uid {given['uid']})"


def test_a_daemon_that_does_not_start_with_the_old_module_is_named_and_does_not_stay_failed() -> None:
    systemd = Systemd({}, broken=["nvidia-dcgm.service"])
    (note,) = holders.start(["nvidia-dcgm.service", "nvidia-persistenced.service"], systemd)
    assert note.startswith("nvidia-dcgm.service was stopped for the change and does not start")
    assert ["reset-failed", "nvidia-dcgm.service"] in systemd.calls


def test_a_machine_where_nothing_uses_the_driver_asks_systemd_for_nothing(tmp_path: Path) -> None:
    systemd = Systemd({})
    assert holders.units_to_stop(holders.read_holders(tmp_path), systemd) == [] and systemd.calls == []
