"""The `dlbox-nvidia` tool on the host: login message, boot loader's default, settings of the GPUs, state as JSON.

Runs from update-motd.d, GRUB's defaults, an apt hook and a systemd unit, so every verb is quiet when there is nothing
to say.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from ..host import kernels
from ..host import nvidia_smi as smi
from . import gpusettings, grub, state

SETTINGS = Path("/etc/dlbox/gpu-settings.json")
GUARD_MEMORY = Path("/var/lib/dlbox/nvidia/boot-default")
UPDATE_GRUB = Path("/usr/sbin/update-grub")
MENU = Path("/boot/grub/grub.cfg")
ADVICE = "restart the machine (sudo systemctl reboot)"


def message(found: dict[str, Any]) -> str:
    """Return the lines for the login message, "" when all is well."""
    lines = [f"NVIDIA: {reason}: {ADVICE}." for reason in found["reboot_reasons"]]
    if found["waiting_kernels"]:
        names = ", ".join(found["waiting_kernels"])
        guarded = found.get("boot_guarded", True)
        start = "is not started by default" if guarded else "may be what the boot loader starts next"
        lines.append(f"NVIDIA: kernel {names} has no NVIDIA module yet and {start}: run dlbox up.")
    return "".join(line + "\n" for line in lines)


def guard_choice(menu: Path, root: Path = Path("/")) -> str:
    """Return the path of ids of GRUB's default entry in a menu, "" to leave GRUB's own."""
    try:
        text = menu.read_text(errors="replace")
    except OSError:
        return ""
    return grub.boot_default(kernels.read_kernels(root), text)


def nvidia_smi(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Run nvidia-smi."""
    return subprocess.run(["nvidia-smi", *arguments], capture_output=True, text=True, check=False)


def read_gpus() -> list[gpusettings.GpuState]:
    """Return the GPUs, or raise RuntimeError with nvidia-smi's own words."""
    done = nvidia_smi(*smi.arguments(gpusettings.QUERY))
    if done.returncode != 0:
        raise RuntimeError(f"nvidia-smi ended with {done.returncode}: {(done.stdout + done.stderr).strip()}")
    return gpusettings.parse_query(done.stdout)


def apply_settings(settings: dict[str, Any], only_verify: bool = False) -> dict[str, Any]:
    """Apply the settings to the GPUs and read them back; return {ok, notes, errors}."""
    entries = settings.get("settings", [])
    gpus = read_gpus()
    steps = gpusettings.steps(gpus, entries)
    notes = [step.note for step in steps if step.note]
    notes += [f"no GPU matches {match!r}" for match in gpusettings.unmatched(gpus, entries)]
    errors: list[str] = []
    if not only_verify:
        for step in steps:
            if step.arguments:
                done = nvidia_smi("-i", str(step.gpu), *step.arguments)
                if done.returncode != 0:
                    errors.append(f"GPU {step.gpu}: {step.what}: {(done.stdout + done.stderr).strip()}")
    gpus = read_gpus()
    errors += gpusettings.differences(gpus, steps)
    if settings.get("persistence"):
        errors += [f"GPU {one.index}: persistence mode is off" for one in gpus if not one.persistence]
    return {"ok": not errors, "notes": notes, "errors": errors}


def _settings(path: Path) -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads(path.read_text()) if path.exists() else {}
    return loaded


def motd(_options: argparse.Namespace) -> int:
    """Print the login message."""
    sys.stdout.write(message(state.light_state()))
    return 0


def grub_default(options: argparse.Namespace) -> int:
    """Print GRUB's default entry."""
    sys.stdout.write(guard_choice(options.menu))
    return 0


def refresh(_options: argparse.Namespace) -> int:
    """Run update-grub when the kernels with modules are others than at the last time; called after every dpkg run."""
    found = kernels.read_kernels()
    best, first = kernels.bootable_with_module(found), kernels.newest(found)
    now = f"{best.release if best else ''} {first.release if first else ''}\n"
    if GUARD_MEMORY.exists() and GUARD_MEMORY.read_text() == now:
        return 0
    if UPDATE_GRUB.exists():
        done = subprocess.run([str(UPDATE_GRUB)], capture_output=True, text=True, check=False)
        if done.returncode != 0:
            sys.stderr.write(f"dlbox-nvidia: update-grub failed: {done.stderr.strip()}\n")
            return 1
    GUARD_MEMORY.parent.mkdir(parents=True, exist_ok=True)
    GUARD_MEMORY.write_text(now)
    sys.stdout.write(f"the boot menu was written for: {now}")
    return 0


def gpu(options: argparse.Namespace, only_verify: bool = False) -> int:
    """Apply or verify the settings and print the outcome as JSON."""
    try:
        outcome = apply_settings(_settings(options.settings), only_verify)
    except (RuntimeError, OSError) as error:
        outcome = {"ok": False, "notes": [], "errors": [str(error)]}
    sys.stdout.write(json.dumps(outcome) + "\n")
    return 0 if outcome["ok"] else 1


def status(_options: argparse.Namespace) -> int:
    """Print the whole state as JSON."""
    sys.stdout.write(json.dumps(state.read_state(), indent=2) + "\n")
    return 0


def main(arguments: Sequence[str] | None = None) -> int:
    """Read the command line and do the verb; return the exit status."""
    parser = argparse.ArgumentParser(
        prog="dlbox-nvidia", description="NVIDIA's driver on this machine, as dlbox keeps it"
    )
    verbs = parser.add_subparsers(dest="verb", required=True)
    actions: dict[str, tuple[str, Callable[[argparse.Namespace], int]]] = {
        "motd": ("say at login what needs the owner", motd),
        "grub-default": ("GRUB's default entry: the newest kernel with an NVIDIA module", grub_default),
        "refresh": ("run update-grub if kernels or modules changed", refresh),
        "apply": ("apply the settings of the GPUs and read them back", gpu),
        "verify": ("compare the GPUs with their settings", lambda options: gpu(options, only_verify=True)),
        "status": ("the state of the driver as JSON", status),
    }
    for verb, (text, _action) in actions.items():
        sub = verbs.add_parser(verb, help=text, description=text)
        if verb == "grub-default":
            sub.add_argument("menu", type=Path, nargs="?", default=MENU, help="the menu to choose from")
        if verb in ("apply", "verify"):
            sub.add_argument("--settings", type=Path, default=SETTINGS, help="JSON file of the settings")
    options = parser.parse_args(arguments)
    return actions[options.verb][1](options)
