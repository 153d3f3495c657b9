"""Ask a host, in one round trip, for everything that the doctor's checks judge.

The file needs only the standard library (Python 3.10 and newer) and what runner.LIBRARY names, because it travels: the
doctor sends the texts over testinfra's connection, the module `host_evidence` imports it. It only reads: no file,
setting or service is changed. What an account can write is read and run with that account's rights, or a fresh one's.

`collect(settings)` returns a JSON-able dict, the *evidence*: one key per collector, and `errors`, which maps one that
failed to the reason. A command's answer is `{"rc": int | None, "out": str, "err": str}`; `rc` None means that the
command does not exist or did not end in time, with the reason in `err`. No collector raises.
"""

# os.path throughout: hundreds of small reads below /sys and /proc.
# ruff: noqa: PTH110, PTH112, PTH113, PTH116, PTH119, PTH120, PTH207
from __future__ import annotations

import base64
import concurrent.futures
import contextlib
import datetime
import glob
import grp
import json
import os
import pathlib
import re
import shutil
import socket
import ssl
import stat
import sys
import tempfile
import time
import zlib
from collections.abc import Callable
from typing import Any

from . import run_as
from .admins import sudoers
from .host import apt_policy, dpkg, pci
from .host import nvidia_module as loaded
from .host import nvidia_smi as smi
from .host.kernels import read_kernels
from .host.os_release import read_os_release
from .host.secure_boot import COMMAND
from .host.secure_boot import secure_boot as read_secure_boot
from .host.units import parse_show, properties_of, show_command
from .host.virtualization import virtualization as virtualization_of
from .jupyter import ports
from .ssh import config, logins, passwords

GPU_FIELDS = (
    *("index", "uuid", "pci.bus_id", "name", "driver_version", "persistence_mode"),
    *("power.draw", "power.limit", "power.default_limit", "power.max_limit", "temperature.gpu"),
    *("pcie.link.width.current", "pcie.link.width.max", "ecc.errors.uncorrected.volatile.total"),
    *("clocks_throttle_reasons.hw_slowdown", "memory.total", "memory.used", "utilization.gpu"),
)
PACKAGES_OF_INTEREST = re.compile(
    r"nvidia|^cuda|cudnn|^libcuda|^libnccl|^linux-(image|headers|modules-nvidia)|^dkms"
    r"|^ufw$|^openssh-server$|^unattended-upgrades$"
)
OF_A_VENDOR = re.compile(r"nvidia|^cuda|^libcuda|^libcudnn")
KERNEL_LINES = re.compile(
    r"NVRM|\bXid\b|nvidia|nouveau|Key was rejected|module verification failed|Loading of (unsigned|module)|Lockdown:"
    r"|I/O error|EXT4-fs error|XFS.*(error|corruption)|Out of memory|oom-kill|hardware error|mce:",
    re.IGNORECASE,
)
SHELL_FILES = ("/etc/environment", "/etc/profile", "/etc/bash.bashrc", "/etc/zsh/zshenv", "/etc/security/pam_env.conf")
JUPYTER_FOLDERS = ("/usr/local/share/dlbox/jupyter", "/usr/local/share/jupyter", "/usr/share/jupyter")
#: Properties of an account's jupyterlab unit.
OF_A_SERVER = (
    "ActiveState", "SubState", "NRestarts", "UnitFileState", "LoadState", "ActiveEnterTimestampMonotonic", "MainPID",
)  # fmt: skip
FRAMEWORKS = ("torch", "tensorflow", "jax", "keras")
LIBRARIES = ("numpy", "pandas", "sklearn")
DISTRIBUTIONS = {"sklearn": ("scikit_learn",), "tensorflow": ("tensorflow", "tensorflow_cpu")}

Evidence = dict[str, Any]
Settings = dict[str, Any]


def run(argv: list[str], timeout: float = 20.0) -> dict[str, Any]:
    """Run a program of the system with an English locale and no shell; see the module text for the answer's shape."""
    program = shutil.which(argv[0], path=run_as.PATH)
    if program is None:
        return {"rc": None, "out": "", "err": f"{argv[0]} is not installed"}
    done = run_as.run([program, *argv[1:]], run_as.ROOT, timeout=timeout, limit=32 << 20, home=run_as.NO_HOME)
    return {"rc": done.rc, "out": done.out, "err": done.err[-2000:]}


def read(path: str, limit: int = 262144) -> str | None:
    """Text of a file in a folder of root's, or None when it is not there or not readable."""
    try:
        found: bytes = run_as.read_regular(path, limit)
    except OSError:
        return None
    return found.decode("utf-8", "replace")


# --- system ---------------------------------------------------------------------------------------------------------


def os_release(_: Settings) -> dict[str, str]:
    """ID, VERSION_ID and so on."""
    return read_os_release()


def virtualization(_: Settings) -> str:
    """The container, WSL2 or the hypervisor, "none" on bare metal."""
    return virtualization_of()


def kernels(_: Settings) -> dict[str, Any]:
    """The running kernel, and every installed one with its headers and the file of its NVIDIA module."""
    found = [
        {
            "release": one.release,
            "headers": one.headers,
            "nvidia": os.path.relpath(one.module_path, "/lib/modules/" + one.release) if one.module_path else "",
        }
        for one in read_kernels(versions=False)
        if one.bootable
    ]
    return {"running": os.uname().release, "installed": found}


def reboot(_: Settings) -> dict[str, Any]:
    """The distribution's own note that a reboot is needed, and for which packages."""
    packages = read("/run/reboot-required.pkgs") or ""
    return {"required": os.path.exists("/run/reboot-required"), "packages": sorted(set(packages.split()))}


def disks(_: Settings) -> list[dict[str, Any]]:
    """Bytes and inodes of the file systems that a workstation fills up."""
    seen, result = set(), []
    for path in ("/", "/boot", "/boot/efi", "/home", "/opt", "/var", "/tmp", "/srv", "/data"):
        try:
            device, fs = os.stat(path).st_dev, os.statvfs(path)
        except OSError:
            continue
        if device in seen or not fs.f_blocks:
            continue
        seen.add(device)
        result.append(
            {
                "path": path,
                "total": fs.f_blocks * fs.f_frsize,
                "free": fs.f_bavail * fs.f_frsize,
                "inodes": fs.f_files,
                "inodes_free": fs.f_favail,
                "read_only": bool(fs.f_flag & os.ST_RDONLY),
            }
        )
    return result


def memory(_: Settings) -> dict[str, int]:
    """Bytes of /proc/meminfo, by its names."""
    pairs = re.findall(r"^(\w+):\s+(\d+) kB", read("/proc/meminfo") or "", re.MULTILINE)
    return {name: int(kib) * 1024 for name, kib in pairs}


def units(_: Settings) -> dict[str, Any]:
    """systemd's state, its failed units, and the units that the checks name."""
    names = [
        "ssh.service",
        "ssh.socket",
        "ufw.service",
        "nvidia-persistenced.service",
        "nvidia-fabricmanager.service",
        "unattended-upgrades.service",
        "apt-daily-upgrade.timer",
    ]
    shown = run(show_command(names, "LoadState", "ActiveState", "UnitFileState"))
    failed = run(["systemctl", "list-units", "--failed", "--plain", "--no-legend", "--full"])
    return {
        "system": run(["systemctl", "is-system-running"])["out"].strip(),
        "failed": [line.split()[0] for line in failed["out"].splitlines() if line.split()]
        if failed["rc"] == 0
        else None,
        "states": parse_show(shown["out"]),
    }


def clock(_: Settings) -> dict[str, Any]:
    """Whether time is synchronised, as timedatectl says it, and the host's own time in seconds since 1970."""
    shown = run(["timedatectl", "show"])
    return {"rc": shown["rc"], "err": shown["err"], "fields": properties_of(shown["out"]), "now": time.time()}


def smart(_: Settings) -> dict[str, Any]:
    """Health of each drive that smartctl finds; `missing` when smartmontools is not installed."""
    scan = run(["smartctl", "--scan", "--json"])
    if scan["rc"] is None:
        return {"missing": scan["err"], "drives": []}
    try:
        devices = json.loads(scan["out"]).get("devices", [])
    except ValueError:
        return {"missing": "smartctl --scan --json gave no JSON", "drives": []}
    drives = []
    for device in devices:
        answer = run(["smartctl", "--json", "-H", "-A", "-d", device.get("type", "auto"), device["name"]])
        try:
            drives.append({"name": device["name"], "data": json.loads(answer["out"])})
        except ValueError:
            drives.append({"name": device["name"], "data": {}})
    return {"missing": "", "drives": drives}


def kernel_log(_: Settings) -> dict[str, Any]:
    """Lines of this boot's kernel log about GPUs, drives, memory and module signatures (the last 400)."""
    answer = run(["dmesg"])
    if answer["rc"] != 0:
        answer = run(["journalctl", "-k", "-b", "--no-pager", "-o", "short-monotonic", "-n", "20000"])
    lines = [line for line in answer["out"].splitlines() if KERNEL_LINES.search(line)]
    return {"readable": answer["rc"] == 0, "why": answer["err"].strip(), "lines": lines[-400:]}


# --- GPU ------------------------------------------------------------------------------------------------------------


def gpus(_: Settings) -> list[dict[str, Any]]:
    """NVIDIA GPUs on the PCI bus: slot, bound driver, PCIe link width now and at most (None where unknown)."""
    found = []
    for gpu in pci.nvidia_gpus():
        link, slot = pci.link(gpu.path), pci.link(gpu.path.resolve().parent)
        widths = {
            "width": link.get("width"),
            "width_max": link.get("max_width"),
            "slot_width_max": slot.get("max_width"),
        }
        found.append({"slot": gpu.slot, "driver": gpu.driver, **widths})
    return found


def nvidia_module(_: Settings) -> dict[str, Any]:
    """What of the driver is loaded in the kernel: version, flavour, and the competing open-source drivers."""
    module = loaded.read_module()
    return {
        "version": module.version,
        "open": module.flavour == "open",
        "loaded": loaded.loaded_modules(("nvidia", "nvidia_uvm", "nvidia_drm", *loaded.RIVALS)),
        "params": read("/proc/driver/nvidia/params") or "",
    }


def nvidia_smi(_: Settings) -> dict[str, Any]:
    """One query of all the fields that the checks use, GPU_FIELDS."""
    answer = run(["nvidia-smi", *smi.arguments(GPU_FIELDS)], timeout=60)
    return {**answer, "gpus": smi.rows(answer["out"], GPU_FIELDS) if answer["rc"] == 0 else []}


def dkms(_: Settings) -> dict[str, Any]:
    """`dkms status`, one line per module, kernel and state."""
    return run(["dkms", "status"], timeout=60)


def secure_boot(_: Settings) -> dict[str, Any]:
    """Whether Secure Boot is on (None: no UEFI, or not readable); if so, mokutil's lists of keys that are enrolled and
    that wait for the next start, and what modinfo says of every NVIDIA module that was built here, by kernel release.
    """
    enabled = read_secure_boot(mokutil=run(list(COMMAND))["out"])
    if not enabled:
        return {"enabled": enabled, "enrolled": "", "staged": "", "built": {}}
    built = [one for one in read_kernels(versions=False) if one.provider == "dkms" and one.module_path]
    return {
        "enabled": enabled,
        "enrolled": run(["mokutil", "--list-enrolled"])["out"],
        "staged": run(["mokutil", "--list-new"])["out"],
        "built": {one.release: run(["modinfo", str(one.module_path)])["out"] for one in built},
    }


# --- packages -------------------------------------------------------------------------------------------------------


def packages(_: Settings) -> dict[str, Any]:
    """Installed packages of interest, every package that is not properly installed, and holds."""
    try:
        entries = dpkg.read_entries()
    except OSError:
        return {"rc": 1, "known": [], "broken": []}
    known = [
        {"name": one.name, "version": one.version, "hold": one.want == "hold"}
        for one in entries
        if one.configured and PACKAGES_OF_INTEREST.search(one.name)
    ]
    return {"rc": 0, "known": known, "broken": [f"{one.name} ({one.status})" for one in entries if one.unfinished]}


def package_origins(_: Settings) -> dict[str, list[str]]:
    """For each installed driver or CUDA package, the repositories that offer the installed version."""
    installed = dpkg.read_packages()
    names = sorted(name for name, one in installed.items() if one.configured and OF_A_VENDOR.search(name))
    if not names:
        return {}
    offered = apt_policy.parse(run(["apt-cache", "policy", *names], timeout=60)["out"])
    return {
        name: [" ".join(source.split()[:2]) for one in policy.versions if one.installed for source in one.sources]
        for name, policy in offered.items()
    }


def apt_sources(_: Settings) -> dict[str, str]:
    """Text of every source list, by path."""
    paths = [
        "/etc/apt/sources.list",
        *sorted(glob.glob("/etc/apt/sources.list.d/*.list") + glob.glob("/etc/apt/sources.list.d/*.sources")),
    ]
    return {path: text for path in paths for text in [read(path)] if text is not None}


def apt_keys(_: Settings) -> dict[str, Any]:
    """gpg's colon listing of every key file that apt may trust, by path."""
    paths = set(glob.glob("/etc/apt/trusted.gpg.d/*") + glob.glob("/etc/apt/keyrings/*"))
    for text in apt_sources({}).values():
        paths.update(re.findall(r"signed-by[=:]\s*(/[^\s\],]+)", text, re.IGNORECASE))
    listed = {}
    with tempfile.TemporaryDirectory(prefix="dlbox-gpg-", dir="/tmp", ignore_cleanup_errors=True) as home:
        for path in sorted(paths):
            if os.path.isfile(path):
                listed[path] = run(["gpg", "--homedir", home, "--batch", "--show-keys", "--with-colons", path])
    return listed


def apt_config(_: Settings) -> dict[str, Any]:
    """apt's settings about unattended upgrades, and the age of its package lists in seconds."""
    answer = run(["apt-config", "dump"])
    wanted = [line for line in answer["out"].splitlines() if line.startswith(("Unattended-Upgrade", "APT::Periodic"))]
    stamps = [
        path
        for path in ("/var/lib/apt/periodic/update-success-stamp", "/var/lib/apt/lists", "/var/lib/apt/lists/partial")
        if os.path.exists(path)
    ]
    lists = glob.glob("/var/lib/apt/lists/*Release")
    age = time.time() - max((os.stat(path).st_mtime for path in stamps), default=0)
    return {"lines": wanted, "lists": len(lists), "age": age}


def updates(_: Settings) -> dict[str, Any]:
    """What `apt-get upgrade` would install, from the package lists as they are: name, security or not."""
    answer = run(
        ["apt-get", "-s", "-o", "Debug::NoLocking=true", "-o", "APT::Get::Show-User-Simulation-Note=false", "upgrade"],
        timeout=60,
    )
    lines = re.findall(r"^Inst (\S+) .*?\((\S+) (.*?)\)", answer["out"], re.MULTILINE)
    return {
        "rc": answer["rc"],
        "err": answer["err"],
        "all": [name for name, _version, _origin in lines],
        "security": [name for name, _version, origin in lines if "ecurity" in origin],
    }


def loader(_: Settings) -> dict[str, Any]:
    """Global LD_LIBRARY_PATH settings, and the CUDA libraries that the system's loader would find first."""
    hits = []
    for path in [
        *SHELL_FILES,
        *sorted(glob.glob("/etc/profile.d/*")),
        *sorted(glob.glob("/etc/environment.d/*")),
        *sorted(glob.glob("/etc/systemd/system.conf.d/*")),
    ]:
        for line in (read(path) or "").splitlines():
            if "LD_LIBRARY_PATH" in line and not line.lstrip().startswith("#"):
                hits.append(f"{path}: {line.strip()}")
    listed = run(["ldconfig", "-p"])["out"]
    libraries = re.findall(r"^\s+(lib(?:cudnn|cublas|cudart|nccl)\S*) .*=> (\S+)", listed, re.MULTILINE)
    return {"ld_library_path": hits, "libraries": [list(pair) for pair in libraries]}


# --- environments ---------------------------------------------------------------------------------------------------


def has_distribution(site: str, name: str) -> bool:
    """True when site-packages holds the distribution, read from names alone (no interpreter start)."""
    stems = DISTRIBUTIONS.get(name, (name,))
    return any(glob.glob(f"{site}/{stem}-*.dist-info") for stem in stems)


def kernelspecs(_: Settings) -> dict[str, dict[str, Any]]:
    """Jupyter kernels that every account sees: argv, env and display name by kernel name."""
    found: dict[str, dict[str, Any]] = {}
    for path in [path for folder in JUPYTER_FOLDERS for path in sorted(glob.glob(folder + "/kernels/*/kernel.json"))]:
        try:
            spec = json.loads(read(path) or "")
        except ValueError:
            spec = {}
        found.setdefault(
            os.path.basename(os.path.dirname(path)),
            {"argv": spec.get("argv", []), "env": spec.get("env", {}), "path": path},
        )
    return found


def environment_list(settings: Settings) -> list[dict[str, Any]]:
    """Every conda environment: its Python, what of interest it holds, whether it is frozen, its Jupyter kernels."""
    found = []
    specs = kernelspecs(settings)
    for prefix in sorted(glob.glob(settings.get("conda_root", "/opt/conda") + "/envs/*")):
        python = prefix + "/bin/python"
        if not os.path.isdir(prefix):
            continue
        sites = glob.glob(prefix + "/lib/python3.*/site-packages")
        site = sites[0] if sites else ""
        found.append(
            {
                "name": os.path.basename(prefix),
                "prefix": prefix,
                "python": os.access(python, os.X_OK),
                "frozen": os.path.exists(prefix + "/conda-meta/frozen"),
                "holds": [name for name in (*FRAMEWORKS, *LIBRARIES) if site and has_distribution(site, name)],
                "ipykernel": bool(site) and has_distribution(site, "ipykernel"),
                "kernels": sorted(
                    name for name, spec in specs.items() if spec["argv"] and spec["argv"][0].startswith(prefix + "/")
                ),
            }
        )
    return found


def quiet_env(home: str) -> dict[str, str]:
    """Variables under which a framework writes only below `home` and takes no more GPU memory than it needs."""
    return {
        # For the Jupyter kernel, a Python of its own that -B does not reach.
        "PYTHONDONTWRITEBYTECODE": "1",
        "IPYTHONDIR": home + "/ipython",
        "JUPYTER_RUNTIME_DIR": home + "/runtime",
        "JUPYTER_PATH": JUPYTER_FOLDERS[0],
        "TF_FORCE_GPU_ALLOW_GROWTH": "true",
        "TF_CPP_MIN_LOG_LEVEL": "1",
        "XLA_PYTHON_CLIENT_PREALLOCATE": "false",
        "OMP_NUM_THREADS": "2",
    }


def of_this_shape(value: Any, shape: Any) -> bool:
    """Whether a value is of a type, of one of several, or a mapping or list of these; missing keys count as None."""
    if isinstance(shape, dict):
        return isinstance(value, dict) and all(of_this_shape(value.get(key), inner) for key, inner in shape.items())
    if isinstance(shape, list):
        return isinstance(value, list) and all(of_this_shape(item, shape[0]) for item in value)
    if isinstance(shape, tuple):
        return any(of_this_shape(value, inner) for inner in shape)
    return isinstance(value, shape)


NOTHING = type(None)
#: What a smoke program prints (programs/smoke.py): of an import that failed, of a plain module, of a framework.
SMOKE_FAILED = {"import_error": str, "module": (str, NOTHING)}
SMOKE_MODULE = {
    "import_error": str, "module": str, "python": str, "visible": (str, NOTHING), "version": (str, NOTHING),
    "compute": NOTHING, "cudnn": NOTHING,
}  # fmt: skip
SMOKE_FRAMEWORK = {
    **SMOKE_MODULE, "built_for": str, "gpus": [str], "delegates": (str, NOTHING),
    "compute": {"device": str, "error": str},
    "cudnn": (NOTHING, {"version": (str, NOTHING), "error": str}),
}  # fmt: skip


def smoke_answer(answer: dict[str, Any]) -> dict[str, Any]:
    """The JSON object that a smoke program printed last, or one that says why there is none.

    It ran in an environment that may be anybody's: what is not of the program's shape would end the checks of all.
    """
    for line in reversed(answer["out"].splitlines()):
        if line.startswith("{"):
            try:
                found = json.loads(line)
            except (ValueError, RecursionError):
                break
            failed = isinstance(found, dict) and bool(found.get("import_error"))
            if of_this_shape(found, SMOKE_FAILED if failed else (SMOKE_MODULE, SMOKE_FRAMEWORK)):
                return dict(found)
            return {"import_error": "its Python did not run the test: the answer is not the test's"}
    return {
        "import_error": (
            answer["err"].strip().splitlines() or ["ended with code {} and no answer".format(answer["rc"])]
        )[-1]
    }


def smoke_tests(settings: Settings) -> dict[str, Any]:
    """For each environment and framework: what happened in its Python, and through its Jupyter kernel."""
    programs = settings.get("programs", {})
    wanted = settings.get("environments")
    jupyter_prefix = settings.get("conda_root", "/opt/conda") + "/envs/jupyter"
    launcher = jupyter_prefix + "/bin/python"
    seconds = float(settings.get("smoke_timeout", 180))
    found = [item for item in environment_list(settings) if wanted is None or item["name"] in wanted]

    def tried(who: run_as.Account, python: str, words: list[str], limit: float, text: str = "") -> dict[str, Any]:
        with run_as.private_home(who) as home:
            words = [*run_as.isolated_python(python), *words]
            done = run_as.run(words, who, environment=quiet_env(home), text=text, timeout=limit, home=home)
        return smoke_answer({"rc": done.rc, "out": done.out, "err": done.err})

    def one(name: str, prefix: str, module: str) -> Any:
        who = run_as.account_for(prefix)
        return name, module, tried(who, prefix + "/bin/python", ["-c", programs["smoke"], module], seconds)

    def through_kernel(name: str, prefix: str, kernel: str, modules: list[str]) -> Any:
        job = json.dumps({"kernel": kernel, "smoke": programs["smoke"], "modules": modules, "timeout": seconds})
        # The code of two environments in one account: its owner's only where both are his.
        who = run_as.account_for(prefix)
        who = who if who == run_as.account_for(jupyter_prefix) else run_as.fresh_account()
        return name, kernel, tried(who, launcher, ["-c", programs["kernel"]], seconds + 30, job)

    result: dict[str, Any] = {"direct": {}, "kernel": {}, "launcher": os.access(launcher, os.X_OK)}
    with concurrent.futures.ThreadPoolExecutor(max_workers=2) as pool:
        direct, kernel = [], []
        for item in found:
            if not item["python"]:
                continue
            frameworks = [name for name in item["holds"] if name in FRAMEWORKS]
            modules = frameworks or [name for name in item["holds"] if name in LIBRARIES] or ["sys"]
            direct += [pool.submit(one, item["name"], item["prefix"], module) for module in modules]
            if result["launcher"]:
                kernel += [
                    pool.submit(through_kernel, item["name"], item["prefix"], spec, frameworks[:1] or modules[:1])
                    for spec in item["kernels"]
                ]
        for future in direct:
            name, module, answer = future.result()
            result["direct"].setdefault(name, {})[module] = answer
        for future in kernel:
            name, spec, answer = future.result()
            result["kernel"].setdefault(name, {})[spec] = answer
    return result


# --- Jupyter, ssh, firewall -----------------------------------------------------------------------------------------


def http_status(port: int, path: str, tls: bool = False) -> dict[str, Any]:
    """Status code of a GET to the loopback address without credentials, or why there was none."""
    try:
        with contextlib.ExitStack() as stack:
            link: socket.socket = stack.enter_context(socket.create_connection(("127.0.0.1", port), timeout=5))
            if tls:
                # Whose certificate it is does not matter to the host itself; that it answers does.
                trust = ssl.create_default_context()
                trust.check_hostname, trust.verify_mode = False, ssl.CERT_NONE
                link = stack.enter_context(trust.wrap_socket(link))
            link.sendall(f"GET {path} HTTP/1.1\r\nHost: localhost:{port}\r\nConnection: close\r\n\r\n".encode())
            head = link.recv(4096).decode("latin-1")
    except OSError as error:
        return {"status": None, "error": str(error)}
    match = re.match(r"HTTP/\d\.\d (\d{3})", head)
    return {"status": int(match.group(1)) if match else None, "error": "" if match else "no HTTP answer"}


def first_answer(port: int, unit: dict[str, str], tls: bool) -> dict[str, Any]:
    """GET /api; a server whose unit became active a moment ago gets the rest of a minute to start listening."""
    started = int(unit.get("ActiveEnterTimestampMonotonic") or 0) / 1e6
    answer = http_status(port, "/api", tls)
    while answer["status"] is None and unit.get("ActiveState") == "active" and time.monotonic() - started < 60:
        time.sleep(0.5)
        answer = http_status(port, "/api", tls)
    return answer


def jupyter(_: Settings) -> list[dict[str, Any]]:
    """Each account's JupyterLab: unit state, the settings that guard it (never their secrets), and its answers."""
    accounts = {os.path.basename(path) for path in glob.glob("/etc/jupyterlab/*") if os.path.isdir(path)}
    for line in run(["systemctl", "list-units", "--all", "--plain", "--no-legend", "jupyterlab@*"])["out"].splitlines():
        accounts.update(re.findall(r"jupyterlab@([^.\s]+)\.service", line))
    found = []
    for account in sorted(accounts):
        settings: dict[str, Any] = {}
        files = []
        for path in sorted(glob.glob(f"/etc/jupyterlab/{account}/**/*.json", recursive=True)):
            info = os.stat(path)
            files.append(
                {
                    "path": path,
                    "mode": f"{stat.S_IMODE(info.st_mode):04o}",
                    "owner": info.st_uid,
                    "secret": "hashed_password" in (read(path) or ""),
                }
            )
            try:
                for section, values in json.loads(read(path) or "{}").items():
                    settings.setdefault(section, {}).update(values)
            except (ValueError, AttributeError, TypeError, RecursionError):
                files[-1]["malformed"] = True
        server, identity, password = (
            settings.get(name, {}) for name in ("ServerApp", "IdentityProvider", "PasswordIdentityProvider")
        )
        # What listens for the account: the TLS endpoint where there is one, or the proxy.
        front, port = "jupyterlab-proxy", 0
        for name in ("jupyterlab-proxy", "jupyterlab-tls"):
            text = read(f"/etc/systemd/system/{name}@{account}.socket") or ""
            named = re.search(r"^ListenStream=(?:\S*:)?(\d+)$", text, re.MULTILINE)
            front, port = (name, int(named.group(1))) if named else (front, port)
        tls = front == "jupyterlab-tls"
        shown = run(show_command([f"jupyterlab@{account}.service"], *OF_A_SERVER))
        unit = properties_of(shown["out"])
        held = run(["systemctl", "is-active", f"{front}@{account}.socket"])
        found.append(
            {
                "account": account,
                "unit": unit,
                "pid": int(unit.get("MainPID") or 0),
                "socket": f"{front}@{account}.socket",
                "held": held["out"].strip() == "active",
                "holders": ports.holders(port),
                "files": files,
                "ip": server.get("ip", "localhost"),
                "port": port,
                "has_password": bool(password.get("hashed_password") or server.get("password")),
                "has_token": bool(identity.get("token", server.get("token"))),
                "tls": tls,
                "alive": first_answer(port, unit, tls),
                "guarded": http_status(port, "/api/contents?content=0", tls),
            }
        )
    return found


def listening(_: Settings) -> dict[str, Any]:
    """Listening sockets as ss prints them."""
    return run(["ss", "-H", "-lntup"])


def addresses(_: Settings) -> list[str]:
    """The host's own global addresses."""
    answer = run(["ip", "-o", "addr", "show", "scope", "global"])
    return re.findall(r"inet6? ([0-9a-f.:]+)/", answer["out"])


def admin_names(settings: Settings) -> list[str]:
    """Accounts that may become root by sudo, and those the owner named."""
    names = set(settings.get("admins", []))
    for group in ("sudo", "admin", "wheel"):
        with contextlib.suppress(KeyError):
            names.update(grp.getgrnam(group).gr_mem)
    return sorted(names)


def ssh_server(settings: Settings) -> dict[str, Any]:
    """sshd's settings for root and each admin, who of them could log in, whether keys are needed, and the host keys."""
    sshd = "/usr/sbin/sshd"
    if not os.path.exists(sshd):
        return {"installed": False}
    peer = settings.get("peer", "192.0.2.1")
    names = admin_names(settings)

    def said(question: str) -> str:
        answer = run([sshd, "-T", "-C", question])
        if answer["rc"] != 0:
            raise OSError((answer["err"].strip().splitlines() or ["sshd does not answer"])[-1])
        return str(answer["out"])

    effective: dict[str, dict[str, list[str]]] = {}
    for user in ["root", *names]:
        effective[user] = {}
        with contextlib.suppress(OSError):
            effective[user] = config.effective(said(f"user={user},host={peer},addr={peer}"))
    keys = []
    for path in sorted(glob.glob("/etc/ssh/ssh_host_*_key")):
        info = os.stat(path)
        keys.append({"path": path, "mode": f"{stat.S_IMODE(info.st_mode):04o}", "owner": info.st_uid})
    found = {"installed": True, "valid": run([sshd, "-t"]), "effective": effective, "host_keys": keys}
    if not effective["root"]:
        return {**found, "logins": {}, "keyless": [], "keyless_unknown": []}
    verdict = passwords.survey(
        pathlib.Path("/etc/ssh/sshd_config"),
        lambda connection: said(connection.text),
        passwords.known_accounts(names),
        port=int((effective["root"].get("port") or ["22"])[0]),
    )
    shadow, today = read("/etc/shadow") or "", datetime.date.today()
    people = {name: logins.evaluate_login(name, logins.server_of(effective[name]), shadow, today) for name in names}
    return {
        **found,
        "logins": {name: {"keys": len(one.keys), "problems": one.problems} for name, one in people.items()},
        "keyless": [{"sentence": one.sentence, "methods": list(one.methods)} for one in verdict.open],
        "keyless_unknown": list(verdict.unknown),
    }


def admin_accounts(settings: Settings) -> list[dict[str, Any]]:
    """The admins: whether sudo asks them for a password (None where it does not say)."""
    found: list[dict[str, Any]] = []
    for name in admin_names(settings):
        listing = run(["sudo", "-n", "-l", "-U", name]) if os.geteuid() == 0 else {"rc": None}
        found.append(
            {"name": name, "passwordless": sudoers.passwordless(str(listing["out"])) if listing["rc"] == 0 else None}
        )
    return found


def firewall(_: Settings) -> dict[str, Any]:
    """ufw's state and rules, and the kernel's own policy for incoming packets."""
    # A Python program each time: both at once, for they are what the others wait for.
    with concurrent.futures.ThreadPoolExecutor(max_workers=2) as pool:
        status, added = pool.map(run, (["ufw", "status", "verbose"], ["ufw", "show", "added"]))
    return {
        "status": status,
        "added": added,
        "config": read("/etc/ufw/ufw.conf") or "",
        "input": {tool: run([tool, "-S", "INPUT"]) for tool in ("iptables", "ip6tables")},
    }


def plan(settings: Settings) -> Any:
    """The plan that dlbox left on the host, or None."""
    text = read(settings.get("state_dir", "/var/lib/dlbox") + "/plan.json", 4194304)
    return json.loads(text) if text else None


def bench_runs(settings: Settings) -> list[Any]:
    """The newest two benchmark results kept on the host, oldest first."""
    paths = sorted(glob.glob(settings.get("state_dir", "/var/lib/dlbox") + "/bench/*.json"))
    return [json.loads(read(path, 4194304) or "null") for path in paths[-2:]]


COLLECTORS: dict[str, Callable[[Settings], Any]] = {
    function.__name__: function
    for function in (
        smoke_tests, updates, smart, os_release, virtualization, kernels, reboot, disks, memory, units, clock,
        kernel_log, gpus, nvidia_module, nvidia_smi, dkms, secure_boot, packages, package_origins,
        apt_sources, apt_keys, apt_config, loader, kernelspecs, environment_list, jupyter, listening,
        addresses, ssh_server, admin_accounts, firewall, plan, bench_runs,
    )
}  # fmt: skip


def collect(settings: Settings) -> Evidence:
    """Run the collectors named in settings["collect"] (default: all) side by side; see the module text."""
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


if __name__ == "__main__":
    given = json.loads(zlib.decompress(base64.b64decode(sys.argv[1]))) if len(sys.argv) > 1 else {}
    print("DLBOX-EVIDENCE " + json.dumps(collect(given)))
