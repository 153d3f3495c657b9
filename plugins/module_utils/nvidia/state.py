"""Read everything about the driver on a host in one go: packages, kernels, modules, libraries, Secure Boot,
leftovers.
"""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Any

from ..host import apt_sources, dpkg, kernels, nvidia_module, pci, secure_boot, units
from . import dkms, leftovers, names, secureboot
from .apt import Runner, run

UNITS = ("nvidia-persistenced.service", "nvidia-fabricmanager.service", "dlbox-gpu-settings.service")
GRUB_SCRIPT = "etc/grub.d/99_dlbox_nvidia"
_LIBRARY = re.compile(r"^libnvidia-ml\.so\.(\d{3}\.\d+(?:\.\d+)?)$")


def library_version(root: Path = Path("/")) -> str | None:
    """Return the version of the installed libnvidia-ml, which nvidia-smi and NVML users load; None when there is
    none.
    """
    places = (
        "usr/lib/*/libnvidia-ml.so.*",
        "usr/lib/*/nvidia/current/libnvidia-ml.so.*",
        "usr/lib/*/nvidia/*/libnvidia-ml.so.*",
    )
    for pattern in places:
        for path in sorted(root.glob(pattern)):
            match = _LIBRARY.match(path.name)
            if match:
                return match[1]
    return None


def initramfs_tool(root: Path = Path("/")) -> str | None:
    """Return the command that rebuilds the initramfs: update-initramfs (dracut's package has it too), dracut, or
    None.
    """
    for name, path in (("update-initramfs", "usr/sbin/update-initramfs"), ("dracut", "usr/bin/dracut")):
        if (root / path).exists():
            return name
    return None


def persistence_command(root: Path = Path("/")) -> str | None:
    """Return the command line that runs nvidia-persistenced with persistence mode on, as its packaged unit runs it.

    The unit says under which account (Ubuntu: nvidia-persistenced, Debian: nvpd, NVIDIA: root); only the option about
    the mode is changed. None when there is no unit. systemd's prefixes (-, +, !) are left out.
    """
    for folder in ("etc/systemd/system", "usr/lib/systemd/system", "lib/systemd/system"):
        try:
            text = (root / folder / "nvidia-persistenced.service").read_text().replace("\\\n", " ")
        except OSError:
            continue
        started = re.findall(r"^ExecStart\s*=\s*[-@+!:]*(\S.*)$", text, re.MULTILINE)
        if started:
            words = [word for word in started[-1].split() if not word.endswith("persistence-mode")]
            return " ".join([*words, "--persistence-mode"])
    return None


def is_newer_than_the_boot(path: str | None, root: Path = Path("/")) -> bool:
    """Whether a file came after the machine was started; False when either time is not known."""
    try:
        started = re.search(r"^btime (\d+)$", (root / "proc/stat").read_text(), re.MULTILINE)
        return bool(path and started and Path(path).stat().st_ctime > int(started[1]))
    except OSError:
        return False


def waits_for_the_next_start(found: list[kernels.Kernel], running_kernel: str, root: Path = Path("/")) -> bool:
    """Whether there is a GPU to drive and the running kernel got its module since the machine was started."""
    path = next((kernel.module_path for kernel in found if kernel.release == running_kernel), None)
    return is_newer_than_the_boot(path, root) and any(gpu.driver != "vfio-pci" for gpu in pci.nvidia_gpus(root))


def built_modules(found: list[kernels.Kernel], builds: list[dkms.Build], runner: Runner) -> list[dict[str, str]]:
    """Return release, tree (DKMS's module/version), signer and key (the signing certificate's serial number) of every
    module built here.
    """
    trees = {build.kernel: f"{build.module}/{build.version}" for build in builds}
    out = []
    for kernel in found:
        if kernel.provider == "dkms" and kernel.module_path:
            signer, key = secureboot.signature(kernel.module_path, runner)
            tree = trees.get(kernel.release, "nvidia")
            out.append({"release": kernel.release, "tree": tree, "signer": signer, "key": key})
    return out


def boot_guarded(root: Path = Path("/")) -> bool:
    """Whether dlbox's script chooses GRUB's default: it is there, and the owner has not chosen by GRUB_DEFAULT."""
    if not (root / GRUB_SCRIPT).exists():
        return False
    chosen = ""
    for path in [root / "etc/default/grub", *sorted((root / "etc/default/grub.d").glob("*.cfg"))]:
        if path.is_file():
            for line in path.read_text(errors="replace").splitlines():
                match = re.match(r"\s*GRUB_DEFAULT=[\"']?([^\"'#\s]*)", line)
                chosen = match[1] if match else chosen
    return chosen in ("", "0")


def unit_states(shown: str) -> dict[str, dict[str, bool]]:
    """Return unit to enabled and active, of those that are there, from what `units.show_command` printed."""
    there = {name: one for name, one in units.parse_show(shown).items() if one.get("LoadState") != "not-found"}
    return {name: units.enabled_and_active(one) for name, one in there.items()}


def reboot_reasons(state: dict[str, Any]) -> list[str]:
    """Return why the host has to be restarted before the driver works, as sentences; empty when it has not.

    state: loaded_version, library_version, running_kernel, nouveau_loaded, waits_for_start and kernels, as read_state
    gives them.
    """
    loaded, library = state["loaded_version"], state["library_version"]
    by_release = {kernel["release"]: kernel for kernel in state["kernels"]}
    on_disk = by_release.get(state["running_kernel"], {}).get("module_version")
    if loaded and library and loaded != library:
        return [f"the loaded NVIDIA module is {loaded}, the installed libraries are {library}"]
    if loaded and on_disk and loaded != on_disk:
        return [f"the loaded NVIDIA module is {loaded}, the installed one is {on_disk}"]
    if loaded or not library:
        return []
    if state["nouveau_loaded"]:
        return ["nouveau drives the GPU until the next start"]
    if on_disk is None and any(kernel["module_version"] and kernel["bootable"] for kernel in state["kernels"]):
        return [f"the running kernel {state['running_kernel']} has no NVIDIA module, another installed kernel has"]
    return ["the NVIDIA module is installed and not loaded yet"] if state["waits_for_start"] else []


def waiting_kernels(state: dict[str, Any]) -> list[str]:
    """Return releases of bootable kernels without module that are newer than the newest with one."""
    bootable = [kernel for kernel in state["kernels"] if kernel["bootable"]]
    best = max(
        (kernels.release_key(kernel["release"]) for kernel in bootable if kernel["module_version"]),
        default=None,
    )
    if best is None:
        return []
    return [kernel["release"] for kernel in bootable if kernels.release_key(kernel["release"]) > best]


def light_state(
    root: Path = Path("/"), running_kernel: str = "", found: list[kernels.Kernel] | None = None
) -> dict[str, Any]:
    """Return what the login message needs, from files alone: no command is run at login."""
    running, found = running_kernel or os.uname().release, kernels.read_kernels(root) if found is None else found
    state: dict[str, Any] = {
        "running_kernel": running,
        "kernels": [kernel.as_dict() for kernel in found],
        "loaded_version": nvidia_module.read_module(root).version,
        "library_version": library_version(root),
        "nouveau_loaded": bool(nvidia_module.loaded_modules(nvidia_module.RIVALS, root)),
        "waits_for_start": waits_for_the_next_start(found, running, root),
        "boot_guarded": boot_guarded(root),
    }
    return {**state, "reboot_reasons": reboot_reasons(state), "waiting_kernels": waiting_kernels(state)}


def read_state(
    root: Path = Path("/"),
    runner: Runner = run,
    running_kernel: str = "",
    own_files: tuple[str, ...] = (),
) -> dict[str, Any]:
    """Return the state of the driver on this host as plain data; commands that are absent count as having said
    nothing.
    """
    packages = dpkg.read_packages(root / "var/lib/dpkg")
    found = kernels.read_kernels(root)
    builds = dkms.parse_status(runner(["dkms", "status"]).out)
    mine = {name: package for name, package in packages.items() if names.is_driver_package(name) and package.installed}
    owned = runner(["dpkg-query", "-S", "/usr/bin/nvidia-uninstall"]).out.rpartition(": ")[2].split()
    remains = [
        *leftovers.from_run_installer(root, owned, found),
        *leftovers.from_sources(apt_sources.read_sources(root), own_files),
        *leftovers.from_dkms(builds, packages),
    ]
    verified = secure_boot.secure_boot(root, runner(secure_boot.COMMAND).out)
    return {
        **light_state(root, running_kernel, found),
        "packages": {name: package.version for name, package in sorted(mine.items())},
        "held": sorted(name for name, package in packages.items() if package.want == "hold"),
        "half_configured": sorted(name for name, package in packages.items() if package.unfinished),
        "branches": sorted({names.branch_of(name, package.version) for name, package in mine.items()} - {None}),
        "dkms": [build.__dict__ for build in builds],
        "secure_boot": verified,
        "built_modules": built_modules(found, builds, runner) if verified else [],
        "initramfs": initramfs_tool(root),
        "dracut": (root / "usr/bin/dracut").exists(),
        "grub": (root / "usr/sbin/update-grub").exists(),
        "units": unit_states(runner(units.show_command(UNITS, "LoadState", "UnitFileState", "ActiveState")).out),
        "persistence_command": persistence_command(root),
        "leftovers": [item.as_dict() for item in remains],
    }
