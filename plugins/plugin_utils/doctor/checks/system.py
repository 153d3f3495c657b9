"""The machine itself: room, memory, drives, time, services, pending reboots."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from ....module_utils.host.kernels import release_key
from ..model import Context, Finding, check, fail, na, ok, warn
from .common import joined, newest_kernel, size

GIB = 1024**3
# What dlbox sets up or relies on; a desktop's fwupd or network-wait-online that fails is none of it.
OURS = re.compile(
    r"(dlbox|jupyterlab|nvidia|ssh|sshd|ufw|fail2ban|dkms|unattended-upgrades|apt-daily|systemd-modules-load)\b"
)


@check("system.disk", ("disks",))
def disk(context: Context) -> Iterator[Finding]:
    """Every file system has room."""
    for item in context.evidence["disks"]:
        share = item["free"] / item["total"]
        room = f"{size(item['free'])} of {size(item['total'])} free"
        small = item["total"] < 4 * GIB  # /boot and the like
        if item["read_only"] and item["path"] in ("/", "/home", "/var"):
            yield fail(
                "mounted read-only (the kernel does that after errors)",
                "Read the kernel log, save your data, check the drive",
                item["path"],
            )
        elif share < 0.02 or (not small and item["free"] < 2 * GIB):
            yield fail(
                room,
                f"sudo du -xh {item['path']} --max-depth=2 | sort -h | tail; caches: conda clean, ~/.cache, apt clean",
                item["path"],
            )
        elif share < 0.1 and item["free"] < 50 * GIB:
            yield warn(room, f"sudo du -xh {item['path']} --max-depth=2 | sort -h | tail", item["path"])
        else:
            yield ok(room, item["path"])


@check("system.inodes", ("disks",))
def inodes(context: Context) -> Iterator[Finding]:
    """No file system has run out of inodes."""
    found = False
    for item in context.evidence["disks"]:
        if item["inodes"]:
            found = True
            used = 1 - item["inodes_free"] / item["inodes"]
            if used > 0.95:
                yield fail(
                    f"{used:.0%} of the inodes are used",
                    "Pack data sets of many small files into archives",
                    item["path"],
                )
    if found:
        yield ok("enough on every file system")


@check("system.memory", ("memory", "kernel_log"))
def memory(context: Context) -> Finding:
    """Memory is not exhausted."""
    values = context.evidence["memory"]
    killed = [line for line in context.evidence["kernel_log"]["lines"] if re.search(r"Out of memory: Killed", line)]
    if killed:
        return warn(
            f"the kernel killed a process for lack of memory: {killed[-1].strip()[:160]}",
            "Use fewer data-loader workers, or add memory or swap",
        )
    if not values.get("MemTotal"):
        return na("/proc/meminfo is not readable")
    share = values.get("MemAvailable", 0) / values["MemTotal"]
    if share < 0.05:
        return warn(
            f"{size(values['MemAvailable'])} of {size(values['MemTotal'])} available",
            "ps aux --sort=-rss | head shows who has it",
        )
    return ok(f"{size(values['MemAvailable'])} of {size(values['MemTotal'])} available")


@check("system.swap", ("memory",))
def swap(context: Context) -> Finding:
    """Swap is not full."""
    values = context.evidence["memory"]
    total = values.get("SwapTotal", 0)
    if not total:
        return na("no swap is configured")
    if values["SwapFree"] / total < 0.1:
        return warn(
            f"{size(values['SwapFree'])} of {size(total)} free",
            "The machine is short of memory: end what is not needed, or add memory",
        )
    return ok(f"{size(values['SwapFree'])} of {size(total)} free")


@check("system.drives", ("smart",))
def drives(context: Context) -> Iterator[Finding]:
    """No drive reports that it fails."""
    found = context.evidence["smart"]
    if found["missing"]:
        yield na(f"{found['missing']} (sudo apt install smartmontools)")
        return
    for drive in found["drives"]:
        yield _drive(drive["name"], drive["data"])
    if not found["drives"]:
        yield na("smartctl finds no drive (a virtual machine)")


def _drive(name: str, data: dict[str, Any]) -> Finding:
    status = data.get("smart_status")
    nvme = data.get("nvme_smart_health_information_log") or {}
    raw = {
        item["id"]: item["raw"]["value"]
        for item in (data.get("ata_smart_attributes") or {}).get("table", [])
        if "raw" in item
    }
    bad = {5: "reallocated", 197: "pending", 198: "unreadable"}
    if status is None:
        return na("no health status (a virtual or USB drive)", name)
    if not status.get("passed"):
        return fail("SMART says that it is failing", "Copy your data now and replace the drive", name)
    if nvme.get("critical_warning"):
        return fail(
            f"NVMe critical warning {nvme['critical_warning']}", "Copy your data now and replace the drive", name
        )
    sectors = [f"{raw[number]} {word} sectors" for number, word in bad.items() if raw.get(number)]
    if sectors:
        return warn(
            joined(sectors), "Make a backup and watch whether the numbers grow; sudo smartctl -t long " + name, name
        )
    if nvme.get("percentage_used", 0) >= 90:
        return warn(f"{nvme['percentage_used']} % of its write endurance is used", "Plan to replace the drive", name)
    return ok("healthy", name)


@check("system.drive-errors", ("kernel_log",))
def drive_errors(context: Context) -> Finding:
    """The kernel log has no drive or hardware errors."""
    log = context.evidence["kernel_log"]
    if not log["readable"]:
        return na(f"the kernel log is not readable here: {log['why'] or 'no permission'}")
    # A loop device that vanished, as under snap or docker, is not a drive.
    pattern = (
        r"I/O error(?!.*loop\d)|EXT4-fs error|XFS .*(corruption|error)|hardware error|mce: .*(error|Machine check)"
    )
    lines = [line for line in log["lines"] if re.search(pattern, line, re.IGNORECASE) and "dev loop" not in line]
    if lines:
        return fail(
            f"{len(lines)} lines, the last: {lines[-1].strip()[:160]}",
            "Copy your data; check cables, run sudo smartctl -a on the drive named",
        )
    return ok("none since the last boot")


@check("system.time", ("clock",))
def time(context: Context) -> Finding:
    """The clock is synchronised."""
    clock = context.evidence["clock"]
    fields = clock["fields"]
    offset = context.outside.get("clock_offset")
    if offset is not None and abs(offset) > 30:
        return fail(
            f"the host's clock differs from the controller's by {offset:.0f} s",
            "sudo timedatectl set-ntp true; certificates and apt fail with a wrong clock",
        )
    if not fields:
        return na(f"timedatectl gives no answer: {clock['err'].strip() or 'no message'}")
    if fields.get("NTPSynchronized") == "yes":
        return ok(f"synchronised, {fields.get('Timezone', '')}".rstrip(", "))
    if fields.get("CanNTP") == "no" and fields.get("NTP") == "no":
        return na("no time service here (a container takes its host's clock)")
    return warn(
        "not synchronised" + ("" if fields.get("NTP") == "yes" else ", and the time service is off"),
        "sudo timedatectl set-ntp true; check that UDP port 123 leaves your network",
    )


@check("system.units", ("units",), quick=True)
def units(context: Context) -> Finding:
    """No unit has failed; one that dlbox does not set up is no failure of its work."""
    failed = context.evidence["units"]["failed"]
    if failed is None:
        return na("systemd does not run here")
    ours = [name for name in failed if OURS.match(name)]
    if failed:
        first = (ours or failed)[0]
        problem = fail if ours else warn
        return problem(f"failed: {joined(failed)}", f"systemctl status {first}; journalctl -u {first} -n 30")
    return ok(f"systemd is {context.evidence['units']['system']}")


@check("system.reboot", ("reboot", "kernels"), quick=True)
def reboot(context: Context) -> Finding:
    """No reboot is pending."""
    note, kernels = context.evidence["reboot"], context.evidence["kernels"]
    newest = newest_kernel(context)
    if note["required"]:
        packages = f" for {joined(note['packages'])}" if note["packages"] else ""
        return warn(
            f"the system asks for a reboot{packages}",
            "Reboot when no job runs (./dlbox up -e dlbox_allow_reboot=true does it at the end)",
        )
    running = kernels["running"]
    if (
        newest
        and running in {item["release"] for item in kernels["installed"]}
        and release_key(newest["release"]) > release_key(running)
    ):
        return warn(f"kernel {newest['release']} is installed, {running} runs", "Reboot when no job runs")
    return ok(f"kernel {running}")
