"""Run collectors side by side."""

from __future__ import annotations

import concurrent.futures
import os
import socket
import time
from collections.abc import Callable
from typing import Any

from ..host.memory import read_memory
from ..host.os_release import read_os_release
from ..host.virtualization import virtualization
from .access import addresses, admin_accounts, firewall, listening, ssh_server
from .common import Evidence, Settings
from .environments import environment_list, kernelspecs, smoke_tests
from .gpu import dkms, gpus, nvidia_module, nvidia_smi, secure_boot
from .jupyter import jupyter
from .packages import apt_config, apt_keys, apt_sources, loader, package_origins, packages, updates
from .records import bench_runs, plan
from .system import clock, disks, kernel_log, kernels, reboot, smart, units

COLLECTORS: dict[str, Callable[[Settings], Any]] = {
    "os_release": lambda _: read_os_release(),
    "virtualization": lambda _: virtualization(),
    "memory": lambda _: read_memory(),
} | {
    function.__name__: function
    for function in (
        smoke_tests, updates, smart, kernels, reboot, disks, units, clock,
        kernel_log, gpus, nvidia_module, nvidia_smi, dkms, secure_boot, packages, package_origins,
        apt_sources, apt_keys, apt_config, loader, kernelspecs, environment_list, jupyter, listening,
        addresses, ssh_server, admin_accounts, firewall, plan, bench_runs,
    )
}  # fmt: skip


def collect(settings: Settings) -> Evidence:
    """Run the collectors named in settings["collect"] (default: all) side by side; see the package's text."""
    names = list(settings.get("collect") or COLLECTORS)
    evidence: Evidence = {"errors": {}, "host": socket.gethostname(), "root": os.geteuid() == 0, "time": time.time()}

    def guarded(name: str) -> Any:
        try:
            return COLLECTORS[name](settings)
        except Exception as error:  # a check that finds nothing says why; it never ends the doctor
            evidence["errors"][name] = f"{type(error).__name__}: {error}"
            return None

    with concurrent.futures.ThreadPoolExecutor(max_workers=6) as pool:
        for name, value in zip(names, pool.map(guarded, names), strict=False):
            evidence[name] = value
    return evidence
