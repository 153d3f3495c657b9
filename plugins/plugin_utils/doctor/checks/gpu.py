"""GPU and driver: is the card there, does the right module drive it, will it after the next boot, does it run at full speed."""

# What a check says is kept on one line, so that a message can be searched for.
# ruff: noqa: E501
from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from ....module_utils.host.dpkg import upstream
from ....module_utils.nvidia import gpusettings, secureboot
from ....module_utils.nvidia.dkms import parse_status
from ..model import Context, Finding, check, fail, na, ok, warn
from .common import driver_packages, joined, newest_kernel, not_installed, plan_wants_driver

NO_GPU = "no NVIDIA GPU on the PCI bus"

# What the driver's own messages mean. Each: pattern, words, remedy. The first that matches a line is told.
KERNEL_MESSAGES = (
    (r"requires use of the NVIDIA open kernel modules", "this GPU works with the open kernel modules only", "./dlbox up: it installs the open flavour that the plan names"),
    (r"NVRM: API mismatch", "the libraries were upgraded under the loaded module", "Reboot, so that module and libraries match again"),
    (r"RmInitAdapter failed", "the driver could not start the GPU", "Power the machine off fully; then check seating and power plugs, and 'Above 4G decoding' in the firmware setup"),
    (r"GPU has fallen off the bus|Xid[^:]*: [^,]*?\b79\b|Xid \([^)]*\): 79", "the GPU fell off the bus (power, heat, riser or a defect)", "Check power cables and cooling, lower the power limit, and reboot"),
    (r"Xid \([^)]*\): (48|63|64|94|95)\b", "the GPU's memory has errors that ECC could not repair", "Reboot; if it comes back, run nvidia-smi -q -d ECC and have the card replaced"),
    (r"Xid \([^)]*\): (13|31|43|45)\b", "a program made the GPU fault (usually a bug in that program)", "Look for the program named in the line; restart it; if different programs fault, test the card"),
    (r"Xid \([^)]*\): (62|119|120)\b", "the GPU's own controller (GSP) stopped answering", "Reboot; if it comes back, move to a newer driver of the same branch"),
    (r"NVRM: Xid", "the driver reported an error of the GPU", "Look the number up in NVIDIA's Xid table; reboot if the GPU no longer answers"),
    (r"Key was rejected by service|Loading of (unsigned )?module.*(rejected|tainted and)|Lockdown:.*unsigned module", "Secure Boot refused a kernel module whose key it does not know", "sudo mokutil --import the module's key, reboot, press 'Enroll MOK' at the console"),
    (r"This can occur when a driver such as.*nouveau|NVRM: The NVIDIA probe routine was not called", "another driver holds the GPU", "./dlbox up, then reboot: it keeps nouveau and nova away"),
)  # fmt: skip
HARMLESS = {13, 31, 43, 45}  # Xids that programs cause; told as warnings

_GPU = ("gpus",)


def _present(context: Context) -> bool:
    return bool(context.evidence["gpus"])


@check("gpu.present", ("gpus", "plan"), quick=True)
def present(context: Context) -> Finding:
    """The GPUs of the plan are on the PCI bus."""
    found, planned = context.evidence["gpus"], context.plan.get("gpus") or []
    slots = {item["slot"] for item in found}
    lost = [item for item in planned if item.get("slot") and item["slot"] not in slots]
    if lost:
        names = joined(f"{item.get('name') or item.get('chip')} at {item['slot']}" for item in lost)
        return fail(
            f"was there when dlbox last ran, now gone: {names}",
            "Power off, reseat the card and its power plugs; then ./dlbox up",
        )
    if not found:
        return na(NO_GPU)
    return ok(f"{len(found)} NVIDIA GPU(s): {joined(item['slot'] for item in found)}")


@check("gpu.module-loaded", ("gpus", "nvidia_module", "packages", "plan"), quick=True)
def module_loaded(context: Context) -> Finding:
    """The NVIDIA kernel module is loaded and drives the GPU."""
    if not _present(context):
        return na(NO_GPU)
    if not plan_wants_driver(context):
        return na("no NVIDIA driver is planned or installed")
    module = context.evidence["nvidia_module"]
    if "nvidia" not in module["loaded"] and not module["version"]:
        return fail(
            "the driver is installed, its kernel module is not loaded",
            "Reboot; if it stays so, ./dlbox doctor's kernel, DKMS and Secure Boot lines say why",
        )
    passed_on = [g["slot"] for g in context.evidence["gpus"] if g["driver"] == "vfio-pci"]
    if passed_on:
        return ok(f"loaded; passed to a virtual machine: {joined(passed_on)}")
    flavour = "open" if module["open"] else "proprietary"
    return ok(f"loaded: {module['version']} ({flavour} modules)")


@check("gpu.versions-match", ("nvidia_module", "packages", "nvidia_smi"), quick=True)
def versions_match(context: Context) -> Finding:
    """Loaded module and installed libraries have the same version."""
    loaded = context.evidence["nvidia_module"]["version"]
    installed = {upstream(version) for version in driver_packages(context).values()}
    complaint = (
        "version mismatch" in (context.evidence["nvidia_smi"]["out"] + context.evidence["nvidia_smi"]["err"]).lower()
    )
    if not loaded:
        return na("the NVIDIA kernel module is not loaded")
    if not installed and not complaint:
        return na("no driver library is installed as a package")
    if complaint or loaded not in installed:
        return fail(
            f"the kernel runs {loaded}, the installed libraries are {joined(sorted(installed)) or 'others'}: reboot pending after an upgrade",
            "Reboot (./dlbox up -e dlbox_allow_reboot=true does it at the end of the run)",
        )
    if len(installed) > 1:
        return fail(
            f"libraries of several versions are installed: {joined(sorted(installed))}",
            "./dlbox up: it brings them to the version of the plan",
        )
    return ok(f"both {loaded}")


@check("gpu.answers", ("gpus", "nvidia_smi", "packages", "plan"))
def answers(context: Context) -> Finding:
    """nvidia-smi lists every GPU."""
    if not _present(context):
        return na(NO_GPU)
    if not plan_wants_driver(context):
        return na("no NVIDIA driver is planned or installed")
    smi = context.evidence["nvidia_smi"]
    ours = [g for g in context.evidence["gpus"] if g["driver"] != "vfio-pci"]
    if not_installed(smi):
        return fail(smi["err"], "./dlbox up: it installs the driver's tools")
    if smi["rc"] is None:
        return fail(
            f"nvidia-smi hangs: {smi['err'].strip()}",
            "Read the kernel-log line of this report; a power-off (not a reboot) often brings a hung GPU back",
        )
    if smi["rc"] != 0:
        text = (smi["out"].strip() or smi["err"].strip()).splitlines() or ["no message"]
        return fail(
            f"nvidia-smi ended with {smi['rc']}: {text[0]}",
            "Reboot; then read the GPU lines of this report from the top",
        )
    if len(smi["gpus"]) < len(ours):
        return fail(
            f"{len(smi['gpus'])} of {len(ours)} GPUs answer",
            "Read the kernel-log line of this report; a power-off (not a reboot) often brings a hung GPU back",
        )
    return ok(joined(f"{item['name']} ({item['memory.total']} MiB)" for item in smi["gpus"]))


@check("gpu.newest-kernel", ("gpus", "kernels", "packages", "plan"), quick=True)
def newest_kernel_module(context: Context) -> Finding:
    """The newest installed kernel has the NVIDIA module."""
    newest = newest_kernel(context)
    if not newest:
        return na("no kernel is installed here (a container)")
    if not _present(context) or not plan_wants_driver(context):
        return na("no GPU that needs the module")
    if not newest["nvidia"]:
        return fail(
            f"kernel {newest['release']}, which the next boot takes, has no NVIDIA module",
            f"sudo apt install linux-headers-{newest['release']} && sudo dkms autoinstall -k {newest['release']}, or ./dlbox up",
        )
    return ok(f"{newest['release']}: {newest['nvidia']}")


@check("gpu.dkms", ("dkms", "kernels"))
def dkms_built(context: Context) -> Iterator[Finding]:
    """DKMS has built the module for every installed kernel."""
    status = context.evidence["dkms"]
    if status["rc"] is None:
        yield na("DKMS is not installed (prebuilt modules need none)")
        return
    builds = parse_status(status["out"])
    if not builds:
        yield na("DKMS builds no NVIDIA module")
        return
    built = {build.kernel for build in builds if build.state == "installed" and build.kernel}
    kernels = {item["release"] for item in context.evidence["kernels"]["installed"]}
    missing = sorted(kernels - built)
    stale = [str(build) for build in builds if build.state != "installed"]
    if missing or (stale and not built):
        yield fail(
            f"not built for {joined(missing) or 'any kernel'}; dkms says: {joined(stale or builds)}",
            "sudo dkms autoinstall; the reason of a failure is in /var/lib/dkms/nvidia/*/build/make.log",
        )
    else:
        yield ok(f"built for {joined(sorted(built))}")


@check("gpu.headers", ("dkms", "kernels"))
def headers(context: Context) -> Finding:
    """Headers of the newest kernel are there for DKMS."""
    newest = newest_kernel(context)
    if context.evidence["dkms"]["rc"] is None or "nvidia" not in context.evidence["dkms"]["out"]:
        return na("DKMS builds no NVIDIA module")
    if not newest:
        return na("no kernel is installed here (a container)")
    if not newest["headers"]:
        return fail(
            f"kernel {newest['release']} has no headers: DKMS cannot build for it",
            f"sudo apt install linux-headers-{newest['release']}; ./dlbox up keeps the metapackage installed",
        )
    return ok(f"linux-headers-{newest['release']}")


@check("gpu.nouveau", ("gpus", "nvidia_module", "packages", "plan"), quick=True)
def nouveau(context: Context) -> Finding:
    """No other driver competes for the GPU."""
    if not _present(context):
        return na(NO_GPU)
    if not plan_wants_driver(context):
        return na("no NVIDIA driver is planned or installed")
    rivals = [name for name in context.evidence["nvidia_module"]["loaded"] if name in ("nouveau", "nova_core")]
    if rivals:
        return fail(
            f"{joined(rivals)} is loaded", "./dlbox up (it blocks the module and rebuilds the initramfs), then reboot"
        )
    return ok("neither nouveau nor nova is loaded")


@check("gpu.secure-boot", ("secure_boot", "kernel_log", "nvidia_module", "dkms"))
def secure_boot(context: Context) -> Iterator[Finding]:
    """Secure Boot accepts the NVIDIA module, and the modules built here are signed with an enrolled key."""
    yield accepted(context)
    found = context.evidence["secure_boot"]
    enrolled, staged = secureboot.serials(found["enrolled"]), secureboot.serials(found["staged"])
    for release, text in sorted(found["built"].items()):
        signer, key = secureboot.signature_of(text)
        if not key:
            yield fail(
                f"the module for kernel {release} is not signed: Secure Boot will not load it",
                f"./dlbox up (it provides the key and what signs), then sudo dkms build --force and install --force for {release}",
                subject=release,
            )
        elif enrolled and key not in enrolled:
            yield fail(
                f"the module for kernel {release} is signed by {signer or 'a key'} ({key}), which "
                + ("waits to be enrolled" if key in staged else "is not enrolled"),
                "sudo systemctl reboot, and choose 'Enroll MOK' at the console"
                if key in staged
                else "./dlbox up: it stages the key's enrolment, or says how the module is built again with the enrolled one",
                subject=release,
            )


def accepted(context: Context) -> Finding:
    """Return whether the firmware took the module that is loaded now."""
    state = context.evidence["secure_boot"]["enabled"]
    if state is None:
        return na("no UEFI firmware settings to read")
    if not state:
        return ok("Secure Boot is off")
    rejected = [line for line in context.evidence["kernel_log"]["lines"] if "Key was rejected" in line]
    if rejected:
        return fail(
            "Secure Boot is on and rejected a module's key",
            "sudo mokutil --import /var/lib/dkms/mok.pub (Ubuntu: /var/lib/shim-signed/mok/MOK.der), reboot, choose 'Enroll MOK' at the console",
        )
    if context.evidence["nvidia_module"]["version"]:
        return ok("Secure Boot is on and the loaded module was accepted")
    return ok("Secure Boot is on; no module was rejected since the last boot")


@check("gpu.kernel-log", ("kernel_log",))
def kernel_log(context: Context) -> Iterator[Finding]:
    """The kernel log has no GPU errors."""
    log = context.evidence["kernel_log"]
    if not log["readable"]:
        yield na(f"the kernel log is not readable here: {log['why'] or 'no permission'}")
        return
    told = set()
    for line in log["lines"]:
        for pattern, words, remedy in KERNEL_MESSAGES:
            if re.search(pattern, line, re.IGNORECASE):
                if words not in told:
                    told.add(words)
                    xid = re.search(r"Xid \([^)]*\): (\d+)", line)
                    severity = warn if xid and int(xid.group(1)) in HARMLESS else fail
                    yield severity(
                        f"{words}: {line.strip()[:200]}", remedy, subject=f"Xid {xid.group(1)}" if xid else ""
                    )
                break
    if not told:
        yield ok("no error of the NVIDIA driver since the last boot")


@check("gpu.persistence", ("nvidia_smi", "units", "plan"))
def persistence(context: Context) -> Finding:
    """Persistence is on, so that the first job does not wait."""
    cards = context.evidence["nvidia_smi"]["gpus"]
    if not cards:
        return na("no GPU answers")
    off = [item["index"] for item in cards if item["persistence_mode"].lower() in ("disabled", "off")]
    unit = context.evidence["units"]["states"].get("nvidia-persistenced.service", {})
    if off:
        return warn(
            f"persistence is off on GPU {joined(off)} (nvidia-persistenced is {unit.get('ActiveState', 'not installed')})",
            "./dlbox up, or sudo systemctl enable --now nvidia-persistenced",
        )
    return ok("on for every GPU")


@check("gpu.services", ("units", "plan"))
def services(context: Context) -> Iterator[Finding]:
    """The services that the driver of the plan needs run: Fabric Manager, where NVSwitch joins the GPUs."""
    planned = (context.plan.get("driver") or {}).get("services") or []
    for name in planned:
        unit = context.evidence["units"]["states"].get(name, {})
        enable = f"sudo systemctl enable --now {name}; what it says: journalctl -u {name}"
        if unit.get("LoadState") != "loaded":
            yield fail(f"{name} is not installed, and CUDA does not start without it", "./dlbox up", subject=name)
        elif unit.get("ActiveState") != "active":
            state = unit.get("ActiveState")
            yield fail(f"{name} is {state}, and CUDA does not start without it (error 802)", enable, subject=name)
        elif unit.get("UnitFileState") != "enabled":
            yield fail(f"{name} runs, and is not started at boot", enable, subject=name)
        else:
            yield ok(f"{name} runs and is started at boot", subject=name)
    if not planned:
        yield na("the plan's driver needs no service")


def wanted_power(settings: Iterable[Mapping[str, Any]], card: Mapping[str, str]) -> float | None:
    """The power limit in watts that ``nvidia_driver_gpu_settings`` asks for this card; None when it asks for none."""
    known = gpusettings.GpuState(
        index=int(card["index"]), uuid=card["uuid"], slot=card["pci.bus_id"].lower(), name=card["name"], persistence=False,
        power=None, power_min=None, power_max=None, memory_clock=None, graphics_clock=None, memory_clock_max=None,
        graphics_clock_max=None, compute_mode="",
    )  # fmt: skip
    watts = gpusettings.merged(known, settings).get("power_limit")
    return None if watts is None else float(watts)


@check("gpu.power-limit", ("nvidia_smi",))
def power_limit(context: Context) -> Iterator[Finding]:
    """Power limits are as the owner set them."""
    settings = context.variable("nvidia_driver_gpu_settings", [])
    for card in context.evidence["nvidia_smi"]["gpus"]:
        wanted = wanted_power(settings, card)
        try:
            now, usual = float(card["power.limit"]), float(card["power.default_limit"])
        except ValueError:
            yield na("this GPU reports no power limit", subject=f"GPU {card['index']}")
            continue
        if wanted is not None and abs(now - wanted) > 1:
            yield fail(
                f"{now:.0f} W, expected {wanted:.0f} W (nvidia_driver_gpu_settings)",
                "./dlbox up --tags gpu: it sets the limit, within what the card allows, now and at every boot",
                subject=f"GPU {card['index']}",
            )
        elif wanted is None and abs(now - usual) > 1:
            yield warn(
                f"{now:.0f} W, the card's default is {usual:.0f} W, and nothing keeps it over a reboot",
                "Set it in nvidia_driver_gpu_settings, which applies it at every boot",
                subject=f"GPU {card['index']}",
            )
        else:
            yield ok(f"{now:.0f} W", subject=f"GPU {card['index']}")
    if not context.evidence["nvidia_smi"]["gpus"]:
        yield na("no GPU answers")


@check("gpu.link-width", ("gpus",))
def link_width(context: Context) -> Iterator[Finding]:
    """The PCIe link is as wide as card and slot allow."""
    for card in context.evidence["gpus"]:
        widths = [card[key] for key in ("width", "width_max", "slot_width_max") if card[key]]
        if len(widths) < 2 or not card["width"]:
            yield na("the link width is not readable (a virtual machine)", subject=card["slot"])
        elif widths[0] < min(widths[1:]):
            yield warn(
                f"x{widths[0]}, the card and its slot can do x{min(widths[1:])}",
                "Reseat the card; check the slot in the board's manual, risers and lane sharing with M.2 drives",
                subject=card["slot"],
            )
        else:
            yield ok(f"x{widths[0]}", subject=card["slot"])
    if not context.evidence["gpus"]:
        yield na(NO_GPU)


@check("gpu.health", ("nvidia_smi",))
def health(context: Context) -> Iterator[Finding]:
    """Temperature and memory errors are in order."""
    for card in context.evidence["nvidia_smi"]["gpus"]:
        subject = f"GPU {card['index']}"
        errors, heat, slowed = (
            card["ecc.errors.uncorrected.volatile.total"],
            card["temperature.gpu"],
            card["clocks_throttle_reasons.hw_slowdown"],
        )
        if errors.isdigit() and int(errors):
            yield fail(
                f"{errors} memory errors that ECC could not repair since the last reset",
                "Reboot; if they come back, have the card replaced",
                subject,
            )
        elif heat.isdigit() and int(heat) >= 90:
            yield fail(
                f"{heat} degrees Celsius",
                "Clean the fans and filters, raise the fan curve, or lower the power limit",
                subject,
            )
        elif slowed == "Active":
            yield warn(
                "the hardware slows the GPU down now (heat or power brake)", "Check cooling and power plugs", subject
            )
        else:
            yield ok(f"{heat} degrees Celsius, no memory errors", subject)
    if not context.evidence["nvidia_smi"]["gpus"]:
        yield na("no GPU answers")
