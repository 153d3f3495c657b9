#!/usr/bin/env python3
"""Plan driver, CUDA, cuDNN and frameworks: for the inventory, for this machine, or for a machine in mind.

    ./dlbox plan                                             each host of the inventory, nothing is changed
    ./dlbox plan --gpu "GTX 1080 Ti" --os ubuntu-24.04       a machine that need not exist
    python3 scripts/plan.py --local --format json            this machine, without ansible

Exit status: 0 a plan, 2 refused, 64 wrong usage, 69 a host could not be reached.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import json
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import Any, NoReturn

from ansible_collections.dlbox.workstation.plugins.module_utils.machine.detect import detect
from ansible_collections.dlbox.workstation.plugins.plugin_utils.planner.data.systems import SYSTEMS
from ansible_collections.dlbox.workstation.plugins.plugin_utils.planner.facts import validate_facts
from ansible_collections.dlbox.workstation.plugins.plugin_utils.planner.gpus import from_name
from ansible_collections.dlbox.workstation.plugins.plugin_utils.planner.merge import merge
from ansible_collections.dlbox.workstation.plugins.plugin_utils.planner.model import POLICIES, UsageError, find_system
from ansible_collections.dlbox.workstation.plugins.plugin_utils.planner.planner import plan
from ansible_collections.dlbox.workstation.plugins.plugin_utils.planner.text import render
from ansible_collections.dlbox.workstation.plugins.plugin_utils.text import visible

TOP = Path(__file__).resolve().parent.parent

EXIT_REFUSED, EXIT_USAGE, EXIT_UNAVAILABLE, EXIT_INTERRUPTED = 2, 64, 69, 130
#: Largest facts file that is read, in bytes: those of a machine with eight GPUs have 5,000.
MAX_FACTS = 1_000_000
MAX_GPUS = 64
#: GPUs that exist beside NVIDIA's own Arm CPUs only.
AARCH64_GPU = re.compile(r"\bG(H200|B200|B300|B10)\b")


class Parser(argparse.ArgumentParser):
    """An argument parser that exits with 64 on wrong usage."""

    def error(self, message: str) -> NoReturn:
        """Print the message, exit 64."""
        complain(message)
        self.exit(EXIT_USAGE)


def complain(message: object) -> None:
    """Print one line to standard error, whatever the message holds."""
    text = "".join(char if char.isprintable() else "?" for char in str(message))
    with contextlib.suppress(OSError):
        print(f"dlbox plan: {text[:1000]}", file=sys.stderr)


def number(text: str) -> float:
    """Return a finite number that is not negative, as argparse wants it."""
    value = float(text)
    if not 0 <= value < 1e9:
        raise ValueError(text)
    return value


def parser() -> Parser:
    """Return the command line's parser."""
    result = Parser(
        prog="dlbox plan",
        description=(__doc__ or "").splitlines()[0],
        epilog="Exit status: 0 a plan, 2 refused, 64 wrong usage, 69 a host could not be reached.",
        allow_abbrev=False,
    )
    machine = result.add_argument_group("a machine in mind")
    machine.add_argument(
        "--gpu",
        action="append",
        default=[],
        metavar="NAME",
        help="GPU by marketing name, chip or PCI id (10de:1b06); repeat for several",
    )
    machine.add_argument("--no-gpu", action="store_true", help="a machine without an NVIDIA GPU")
    machine.add_argument("--os", metavar="SYSTEM", help=f"one of {', '.join(SYSTEMS)} (default: ubuntu-24.04)")
    machine.add_argument("--kernel", metavar="VERSION", help="such as 6.8 or 6.8.0-149-generic (default: the system's)")
    machine.add_argument("--secure-boot", choices=("on", "off"), default=None, help="state of Secure Boot")
    machine.add_argument("--no-avx", action="store_true", help="a CPU without AVX instructions")
    machine.add_argument("--wsl", action="store_true", help="under WSL2")
    machine.add_argument("--arch", choices=("x86_64", "aarch64"), default=None, help="the CPU's architecture")
    machine.add_argument("--virtualization", metavar="KIND", default=None, help="such as kvm, docker, lxc, none")
    machine.add_argument("--driver", metavar="VERSION", help="driver of Windows (WSL2) or of the container's host")
    machine.add_argument("--vgpu", action="store_true", help="the GPU is a virtual one (NVIDIA vGPU) of a hypervisor")
    machine.add_argument("--nvswitch", action="store_true", help="the GPUs are joined by NVSwitch (HGX, DGX)")
    machine.add_argument("--ram", type=number, metavar="GIB", help="memory, for advice")
    real = result.add_argument_group("a machine that exists")
    real.add_argument("--local", action="store_true", help="this machine, without ansible")
    real.add_argument("--facts", type=Path, metavar="FILE", help="facts saved with --save-facts")
    real.add_argument("--save-facts", type=Path, metavar="FILE", help="with --local: keep the facts that were read")
    real.add_argument(
        "-i",
        "--inventory",
        action="append",
        default=[],
        metavar="PATH",
        help="inventory (default: that of ansible.cfg); may be repeated",
    )
    real.add_argument("-l", "--limit", "--host", metavar="HOSTS", help="only these hosts of the inventory")
    preferences = result.add_argument_group("preferences")
    preferences.add_argument(
        "--policy", choices=POLICIES, default=None, help="stable: long-lived branch (default); newest"
    )
    preferences.add_argument(
        "--pin",
        action="append",
        default=[],
        metavar="COMPONENT=VERSION",
        help="driver, modules, driver_source, cuda, cuda_source, cudnn, pytorch, tensorflow, jax, keras, "
        "python; repeat for several",
    )
    preferences.add_argument("--headless", action="store_true", default=None, help="no display: compute-only packages")
    preferences.add_argument("--unattended", action="store_true", default=None, help="nobody is at the console")
    preferences.add_argument(
        "--ignore-gpu", action="append", default=[], metavar="NAME", help="leave this GPU alone; or all"
    )
    preferences.add_argument(
        "--display-gpu",
        action="append",
        default=[],
        metavar="NAME",
        help="this GPU drives displays, frameworks need not run on it",
    )
    preferences.add_argument("--pypi-only", action="store_true", default=None, help="no other wheel index than PyPI")
    preferences.add_argument("--psu", type=number, metavar="W", help="rating of the power supply, for advice")
    preferences.add_argument("--price", type=number, metavar="PER_KWH", help="price of electricity, for advice")
    preferences.add_argument(
        "--hours", type=number, metavar="PER_DAY", help="hours a day under load (default 8), for advice"
    )
    preferences.add_argument("--date", metavar="YYYY-MM-DD", default=None, help="day for end-of-life warnings (today)")
    result.add_argument("--explain", action="store_true", help="show what was excluded by what")
    result.add_argument("--format", choices=("text", "json"), default="text", help="output (default: %(default)s)")
    return result


def preferences_given(args: argparse.Namespace) -> dict[str, Any]:
    """Return the preferences on the command line; what is not given is left out, except the date."""
    pins: dict[str, str] = {}
    for item in args.pin:
        name, separator, value = item.partition("=")
        if not separator:
            raise UsageError(f"--pin {item!r}: expected COMPONENT=VERSION, such as cuda=12.9")
        pins[name] = value
    given: dict[str, Any] = {
        "policy": args.policy,
        "headless": args.headless,
        "unattended": args.unattended,
        "pypi_only": args.pypi_only,
        "psu_watts": args.psu,
        "price_per_kwh": args.price,
        "duty_hours": args.hours,
    }
    result = {name: value for name, value in given.items() if value is not None}
    if pins:
        result["pins"] = pins
    if args.explain:
        result["explain"] = True
    result["today"] = args.date or date.today().isoformat()
    return result


def _roles(args: argparse.Namespace) -> dict[str, str]:
    return {**dict.fromkeys(args.display_gpu, "display"), **dict.fromkeys(args.ignore_gpu, "ignored")}


def hypothetical(args: argparse.Namespace) -> dict[str, Any]:
    """Return the facts of the machine that the command line describes; raises UsageError."""
    system = find_system(args.os or "ubuntu-24.04")
    if len(args.gpu) > MAX_GPUS:
        raise UsageError(f"--gpu was given {len(args.gpu)} times, expected at most {MAX_GPUS}")
    gpus = [
        {"pci_id": gpu.pci_id, "slot": f"gpu{number}", "name_hint": gpu.name, "chip_hint": gpu.chip, "vgpu": args.vgpu}
        for number, gpu in enumerate(from_name(name) for name in args.gpu)
    ]
    secure = {"on": True, "off": False, None: None if args.wsl else False}[args.secure_boot]
    return {
        "host": "machine in mind",
        "os": {
            "id": system.id,
            "version": system.version,
            "codename": system.codename,
            "kernel": args.kernel or system.default_kernel,
            "arch": args.arch or ("aarch64" if any(AARCH64_GPU.search(gpu["name_hint"]) for gpu in gpus) else "x86_64"),
            "secure_boot": secure,
            "virtualization": args.virtualization or ("wsl" if args.wsl else "none"),
            "wsl": args.wsl,
        },
        "cpu": {"model": "", "count": 0, "flags": [] if args.no_avx else ["avx", "avx2", "fma"]},
        "memory_mib": int(args.ram * 1024) if args.ram else None,
        "gpus": gpus,
        "nvswitches": int(args.nvswitch),
        "driver": {"loaded": args.driver, "modules": None, "devices": []},
    }


def overrides(args: argparse.Namespace) -> dict[str, Any]:
    """Return what the command line changes about a machine that exists."""
    changed: dict[str, Any] = {}
    system: dict[str, Any] = {}
    if args.os:
        wanted = find_system(args.os)
        system.update(id=wanted.id, version=wanted.version, codename=wanted.codename, kernel=wanted.default_kernel)
    for key, value in (("kernel", args.kernel), ("virtualization", args.virtualization), ("arch", args.arch)):
        if value:
            system[key] = value
    if args.secure_boot:
        system["secure_boot"] = args.secure_boot == "on"
    if args.wsl:
        system["wsl"] = True
    if system:
        changed["os"] = system
    if args.no_avx:
        changed["cpu"] = {"flags": []}
    if args.nvswitch:
        changed["nvswitches"] = 1
    if args.driver:
        changed["driver"] = {"loaded": args.driver}
    if args.ram:
        changed["memory_mib"] = int(args.ram * 1024)
    return changed


def inventory(args: argparse.Namespace) -> tuple[list[dict[str, Any]], int]:
    """Return (plans of the inventory's hosts, ansible's exit status)."""
    program = Path(sys.executable).with_name("ansible-playbook")
    extra: dict[str, Any] = {}
    given = preferences_given(args)
    for name in (
        "policy",
        "pins",
        "headless",
        "unattended",
        "pypi_only",
        "psu_watts",
        "price_per_kwh",
        "duty_hours",
        "today",
        "explain",
    ):
        if name in given and (name != "today" or args.date):
            extra[f"dlbox_plan_{name}"] = given[name]
    roles = _roles(args)
    if roles:
        extra["dlbox_plan_gpu_roles"] = roles
    changed = overrides(args)
    if changed:
        extra["dlbox_plan_facts"] = changed
    with tempfile.TemporaryDirectory(prefix="dlbox-plan-") as directory:
        extra["dlbox_plan_directory"] = directory
        command = [
            str(program) if program.exists() else "ansible-playbook",
            "playbooks/tools/plan.yml",
            "-e",
            json.dumps(extra),
        ]
        for path in args.inventory:
            command += ["-i", str(Path(path).resolve())]
        if args.limit:
            command += ["--limit", args.limit]
        environment = {
            **os.environ,
            "ANSIBLE_CONFIG": str(TOP / "ansible.cfg"),
            "ANSIBLE_STDOUT_CALLBACK": "default",
            "ANSIBLE_DISPLAY_OK_HOSTS": "false",
        }
        status = subprocess.run(command, cwd=TOP, env=environment, check=False, stdout=subprocess.PIPE, text=True)
        plans = [json.loads(path.read_text(encoding="utf-8")) for path in sorted(Path(directory).glob("*.json"))]
        if status.returncode:
            print(visible(status.stdout), file=sys.stderr)
        return plans, status.returncode


def show(plans: list[dict[str, Any]], form: str, many: bool) -> int:
    """Print the plans, return the exit status; that of the plan also where the reader has gone away (`| head`)."""
    if form == "json":
        text = json.dumps(plans if many else plans[0], indent=2, sort_keys=True) + "\n"
    else:
        text = visible("\n".join(render(item) for item in plans))
    if sys.stdout is None:
        raise UsageError("the plan could not be written: standard output is closed")
    try:
        sys.stdout.write(text)
        sys.stdout.flush()
    except BrokenPipeError:
        discard_output()
    except OSError as error:
        discard_output()
        raise UsageError(f"the plan could not be written: {error.strerror}") from error
    return 0 if all(item["ok"] for item in plans) else EXIT_REFUSED


def discard_output() -> None:
    """Send what Python would still write at its exit nowhere, so that it does not complain a second time."""
    with contextlib.suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _load(path: Path) -> dict[str, Any]:
    try:
        with path.open("rb") as file:
            text = file.read(MAX_FACTS + 1)
        if len(text) > MAX_FACTS:
            raise UsageError(f"--facts {path}: more than {MAX_FACTS} bytes")
        facts = json.loads(text.decode("utf-8"))
    except OSError as error:
        raise UsageError(f"--facts {path}: {error.strerror}") from error
    except UsageError:
        raise
    except (ValueError, RecursionError) as error:
        raise UsageError(f"--facts {path}: not JSON: {error}") from error
    validate_facts(facts, f"--facts {path}")
    result: dict[str, Any] = facts
    return result


def _save(path: Path, facts: dict[str, Any]) -> None:
    """Write facts into a file beside its place and rename it: a full disk leaves what was there."""
    text = json.dumps(facts, indent=2, sort_keys=True) + "\n"
    new = path.with_name(f"{path.name}.new")
    try:
        new.write_text(text, encoding="utf-8")
        new.replace(path)
    except OSError as error:
        with contextlib.suppress(OSError):
            new.unlink()
        raise UsageError(f"--save-facts {path}: {error.strerror}") from error


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    args = parser().parse_args(argv)
    try:
        imagined = bool(args.gpu or args.no_gpu)
        if sum((imagined, args.local, args.facts is not None)) > 1:
            raise UsageError("--gpu, --local and --facts name different machines: give one")
        if args.gpu and args.no_gpu:
            raise UsageError("--gpu and --no-gpu contradict each other")
        if not imagined and not args.local and args.facts is None:
            plans, status = inventory(args)
            if plans:
                code = show(plans, args.format, True)
                return EXIT_UNAVAILABLE if status else code
            complain("no host of the inventory could be asked")
            return EXIT_UNAVAILABLE
        if imagined:
            facts = hypothetical(args)
        elif args.local:
            facts = detect()
            if args.save_facts:
                _save(args.save_facts, facts)
            facts = merge(facts, overrides(args))
        else:
            facts = merge(_load(args.facts), overrides(args))
        given = preferences_given(args)
        given["gpu_roles"] = _roles(args)
        return show([plan(facts, given)], args.format, False)
    except (UsageError, OSError) as error:
        complain(error)
        return EXIT_USAGE
    except KeyboardInterrupt:
        complain("interrupted")
        return EXIT_INTERRUPTED


if __name__ == "__main__":
    raise SystemExit(main())
