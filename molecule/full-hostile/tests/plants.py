"""What a hostile account plants, run with its own rights: plants.py home|shared|swap|squat|hold|pose [ARGS].

Everything planted writes one line to the canary log when it runs: who planted it, as whom it runs (effective uid),
where it lies, and the arguments of the process.
"""

from __future__ import annotations

import contextlib
import ctypes
import fcntl
import getpass
import http.server
import os
import shutil
import socket
import sys
import time
from pathlib import Path

LOG = Path("/srv/canary/log")
ME = getpass.getuser()
HOME = Path.home()
VERSIONS = ("3.10", "3.11", "3.12", "3.13", "3.14")
# Modules that Python programs import first, of the standard library and of what dlbox brings.
MODULES = [
    "sitecustomize",
    "usercustomize",
    "base64",
    "json",
    "datetime",
    "argparse",
    "re",
    "subprocess",
    "tempfile",
    "pwd",
    "grp",
    "socket",
    "ssl",
    "logging",
    "typing",
    "zipfile",
    "zlib",
    "glob",
    "shutil",
    "pathlib",
    "platform",
    "apt",
    "apt_pkg",
    "debconf",
    "distro",
    "yaml",
    "ansible",
    "mitogen",
    "rattler",
    "torch",
    "numpy",
    "jupyter_core",
    "jupyterlab",
    "ipykernel",
    "packaging",
    "selinux",
    "systemd",
]
PROGRAMS = [
    "sudo",
    "git",
    "nvidia-smi",
    "python3",
    "sh",
    "bash",
    "env",
    "id",
    "systemctl",
    "ufw",
    "iptables",
    "sshd",
    "ssh-keygen",
    "apt-get",
    "dpkg",
    "dkms",
    "conda",
    "mamba",
    "uv",
    "pip",
    "jupyter-lab",
    "jupyter",
    "dlbox-guard",
    "dmesg",
    "cat",
    "test",
    "ls",
    "uname",
]


def python_trap(where: str) -> str:
    """Python text that writes to the log, and is harmless otherwise."""
    return (
        "import os as _o, sys as _s\n"
        "try:\n"
        f"    with open({str(LOG)!r}, 'a') as _f: _f.write('%s %d %s %r\\n' % ({ME!r}, _o.geteuid(), {where!r}, "
        "getattr(_s, 'argv', '')))\n"
        "except OSError: pass\n"
    )


def shell_trap(where: str) -> str:
    """Shell text that does the same."""
    return f'echo "{ME} $(/usr/bin/id -u) {where} $0 $*" >> {LOG} 2>/dev/null\n'


def write(path: Path, text: str, mode: int = 0o755) -> None:
    """Write a file where the account can; where it cannot, there is nothing to plant."""
    with contextlib.suppress(OSError):
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.is_symlink() or path.exists():
            path.unlink()
        path.write_text(text)
        path.chmod(mode)


def link(path: Path, target: str) -> None:
    """A symbolic link, in the place of whatever of ours is there."""
    with contextlib.suppress(OSError):
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.is_symlink() or path.is_file():
            path.unlink()
        path.symlink_to(target)


def fifo(path: Path) -> None:
    """A pipe that nobody ever writes to."""
    with contextlib.suppress(OSError):
        path.parent.mkdir(parents=True, exist_ok=True)
        os.mkfifo(path)
        path.chmod(0o777)


def sparse(path: Path) -> None:
    """400 GB that take no space, as far as the file system has such files."""
    with contextlib.suppress(OSError):
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("wb") as out:
            for size in (400 << 30, 15 << 30, 1 << 30):
                with contextlib.suppress(OSError):
                    out.truncate(size)
                    break


def user_site(around: Path) -> None:
    """What Python imports by itself where HOME is this folder."""
    for version in VERSIONS:
        site = around / f".local/lib/python{version}/site-packages"
        for name in ("usercustomize", "sitecustomize"):
            write(site / f"{name}.py", python_trap(f"{site}/{name}.py"))
        write(site / "evil.pth", f"import sys; exec({python_trap(f'{site}/evil.pth')!r})\n")


def modules(folder: Path) -> None:
    """Modules that Python finds first where it starts in this folder."""
    for name in MODULES:
        write(folder / f"{name}.py", python_trap(f"{folder}/{name}.py"))


def home() -> None:
    """Everything that needs no folder of the roles: homes, places for temporary files, settings, programs."""
    for around in (HOME, Path("/tmp"), Path("/var/tmp"), Path("/dev/shm")):
        user_site(around)
        modules(around)
        for name in PROGRAMS:
            write(around / "bin" / name, "#!/bin/sh\n" + shell_trap(f"{around}/bin/{name}"))
        write(around / ".gitconfig", f"[core]\n\tfsmonitor = {around}/bin/git\n\tpager = {around}/bin/git\n")
        write(around / ".condarc", f"envs_dirs: [{around}]\nchannels: [file://{around}/channel]\n")
        for name in (".config/pip/pip.conf", ".pip/pip.conf", "pip.conf"):
            write(around / name, f"[global]\nindex-url = file://{around}/index\ntarget = {around}/target\n")
        for name in ("uv.toml", ".config/uv/uv.toml"):
            write(around / name, f'index-url = "file://{around}/index"\n')
        write(around / "pyvenv.cfg", f"home = {around}/bin\n")
        write(around / "ansible.cfg", f"[defaults]\nremote_tmp = {around}/ansible\nlibrary = {around}\n")
        write(around / ".ansible.cfg", f"[defaults]\nremote_tmp = {around}/ansible\nlibrary = {around}\n")
    write(HOME / ".ssh/config", f"Host *\n  ProxyCommand {HOME}/bin/sshd\n  PermitLocalCommand yes\n", 0o600)
    for name in (".bashrc", ".profile", ".bash_profile", ".zshenv", ".ssh/rc", ".xprofile"):
        write(HOME / name, shell_trap(f"{HOME}/{name}") + f"PATH={HOME}/bin:$PATH\n")
    write(HOME / ".pam_environment", f"PATH DEFAULT={HOME}/bin\nPYTHONPATH DEFAULT={HOME}\n")
    write(HOME / ".ipython/profile_default/startup/00.py", python_trap(f"{HOME}/.ipython"))
    write(HOME / ".jupyter/jupyter_server_config.py", python_trap(f"{HOME}/.jupyter"))
    write(
        HOME / ".local/share/jupyter/kernels/evil/kernel.json",
        f'{{"argv": ["{HOME}/bin/python3"], "display_name": "evil", "language": "python"}}',
    )
    # Names of which tools are known to take one under /tmp, and of this project's own.
    for name in (
        "ansible",
        ".ansible",
        ".ansible/tmp",
        "dlbox",
        "dlbox-run",
        ".dlbox",
        "uv",
        "conda",
        "rattler",
        "cp-",
    ):
        link(Path("/tmp") / name, "/etc")
    for name in ("dlbox-guard", "dlbox.lock", "mitogen", "pip-build", "stdin", "nvidia"):
        fifo(Path("/tmp") / name)
    sparse(HOME / "giant")


def environment(prefix: Path, answers: str) -> None:
    """A conda environment with dlbox's marker and record, frameworks and a kernel; its Python prints `answers`."""
    if prefix.is_symlink() or prefix.exists():
        return
    for version in VERSIONS[1:4:2]:
        site = prefix / f"lib/python{version}/site-packages"
        for name in ("torch", "numpy", "ipykernel", "sklearn", "jax"):
            write(site / name / "__init__.py", python_trap(f"{site}/{name}"))
            write(site / f"{name}-9.9.dist-info/METADATA", f"Name: {name}\nVersion: 9.9\n")
        write(site / "sitecustomize.py", python_trap(f"{site}/sitecustomize.py"))
        write(site / "evil.pth", f"import sys; exec({python_trap(f'{site}/evil.pth')!r})\n")
    for name in ("python", "python3", "jupyter-lab", "conda"):
        write(prefix / "bin" / name, f"#!/bin/sh\n{shell_trap(f'{prefix}/bin/{name}')}printf '%s\\n' '{answers}'\n")
    write(prefix / "conda-meta/frozen", '{"message": "made by dlbox"}')
    write(prefix / "conda-meta/state", f'{{"version": 1, "env_vars": {{"LD_PRELOAD": "{prefix}/x.so"}}}}')
    for name in ("environment.json", "constraints.txt", "conda.lock", "requirements.txt", "meta.json"):
        write(prefix / "conda-meta/dlbox" / name, "{}")
    write(prefix / "share/jupyter/kernels/python3/kernel.json", f'{{"argv": ["{prefix}/bin/python"]}}')
    write(prefix / "etc/profile.d/conda.sh", shell_trap(f"{prefix}/conda.sh"))


def shared() -> None:
    """What a member of conda_group and of the data folders' group can plant once the roles have made them."""
    envs = Path("/opt/conda/envs")
    environment(envs / "fake", '{"devices": [], "ok": true}')
    environment(envs / "later", "{}")  # declared by the owner in a later run
    environment(envs / "gone", "{}")  # declared absent in a later run
    environment(envs / "silent", '{"import_error": {"a": 1}, "version": [1], "gpus": "x"}')
    environment(envs / "deep", '{"a":' + "[" * 60000 + "]" * 60000 + "}")
    environment(envs / 'x\n{"error": "\x1b[2Jowned"}\n', "{}")
    environment(envs / ".removed-tools-1", "{}")
    for name in ("waits", "gone"):
        for part in ("conda-meta/a-1-0.json", "conda-meta/history", "conda-meta/dlbox/manifest", "pyvenv.cfg"):
            fifo(envs / name / part)
        shutil.rmtree(envs / "waits/conda-meta/dlbox", ignore_errors=True)
    fifo(envs / "waits/bin/python")
    fifo(envs / "pipe")
    sparse(envs / "giant/conda-meta/state")
    sparse(envs / "giant/conda-meta/frozen")
    link(envs / "etc", "/etc")
    link(envs / "home", str(HOME))
    link(envs / "loop", "loop")
    link(envs / ".removed-jupyter-2", "/etc")
    link(envs / "linked/conda-meta", "/etc")
    link(envs / "linked/lib", "/")
    for source in ("/etc/passwd", "/etc/ssh/sshd_config", "/var/lib/dlbox/plan.json"):
        with contextlib.suppress(OSError):
            os.link(source, envs / f"hard-{Path(source).name}")
    data = Path("/srv/data")
    modules(data)
    user_site(data)
    link(data / "models", "/srv/treasure")


def exchange(one: Path, other: Path) -> None:
    """Exchange two names in one step: renameat2(2), RENAME_EXCHANGE."""
    ctypes.CDLL(None).renameat2(-100, bytes(one), -100, bytes(other), 2)


def swap(*names: str) -> None:
    """Exchange folders of the home with links to /etc, for ever."""
    pairs = []
    for name in names:
        place, other = HOME / name, HOME / f"{name}-other"
        with contextlib.suppress(OSError):
            place.mkdir(0o700, exist_ok=True)
        link(other, "/etc")
        pairs.append((place, other))
    while True:
        for pair in pairs:
            exchange(*pair)
            time.sleep(0.003)


class Drip(http.server.BaseHTTPRequestHandler):
    """An HTTP answer that never ends."""

    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()
        with contextlib.suppress(OSError):
            while True:
                self.wfile.write(b" ")
                self.wfile.flush()
                time.sleep(1)


def squat(port: str) -> None:
    """Listen where a server of the roles should, and keep who asks waiting."""
    server = http.server.ThreadingHTTPServer(("127.0.0.1", int(port)), Drip)
    server.serve_forever()


def hold(*paths: str) -> None:
    """Hold locks on files of root's, as everybody can who may read them, for ever."""
    for path in paths:
        with contextlib.suppress(OSError):
            file = os.open(path, os.O_RDONLY)
            fcntl.lockf(file, fcntl.LOCK_SH)
            fcntl.flock(file, fcntl.LOCK_SH)
    while True:
        time.sleep(60)


def pose(name: str, *posing: str) -> None:
    """Be a process of another name and title, as ps and /proc show it, with connections to the real sshd open."""
    if not posing:
        os.execv(sys.executable, [f"{name}: ada@notty", "-I", __file__, "pose", name, "again"])
    libc = ctypes.CDLL(None)
    libc.prctl(15, name.encode(), 0, 0, 0)  # PR_SET_NAME
    kept: list[socket.socket] = []
    while True:
        with contextlib.suppress(OSError):
            kept = [*kept[-3:], socket.create_connection(("127.0.0.1", 22), 5)]
        time.sleep(5)


if __name__ == "__main__":
    os.umask(0)
    {"home": home, "shared": shared, "swap": swap, "squat": squat, "hold": hold, "pose": pose}[sys.argv[1]](
        *sys.argv[2:]
    )
