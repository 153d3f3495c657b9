"""The first connection to a box: its host key, from ssh itself, and whether a key of ours is let in."""

from __future__ import annotations

import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

from ...module_utils.public_key import MalformedKey, PublicKey, read

PATIENCE = 10


class ContactError(Exception):
    """The box cannot be used as it is; the message says what is so, and the remedy."""


@dataclass(frozen=True)
class Box:
    """How a box is reached: an address or a name that ssh knows, the account, and a port other than ssh's."""

    address: str
    user: str
    port: int | None = None

    def command(self, *options: str, run: str = "true") -> list[str]:
        """Ssh to it, with these `-o` options, running a command of its shell."""
        words = ["ssh", "-o", f"ConnectTimeout={PATIENCE}", "-o", "ControlPath=none", "-o", "BatchMode=yes"]
        for option in options:
            words += ["-o", option]
        return [*words, *(["-p", str(self.port)] if self.port else []), "-l", self.user, "--", self.address, run]


def _run(command: list[str]) -> tuple[int, str]:
    try:
        done = subprocess.run(
            command, stdin=subprocess.DEVNULL, capture_output=True, text=True, errors="replace", timeout=60, check=False
        )
    except FileNotFoundError:
        raise ContactError("there is no ssh on this machine: apt-get install openssh-client") from None
    except subprocess.TimeoutExpired:
        return 255, "no answer within a minute"
    return done.returncode, done.stderr.strip()


def settings(address: str) -> dict[str, str]:
    """What ssh makes of an address by its configuration: hostname, user, port, userknownhostsfile, ..."""
    done = subprocess.run(["ssh", "-G", "--", address], capture_output=True, text=True, check=False)
    return dict(line.partition(" ")[::2] for line in done.stdout.splitlines())


@dataclass(frozen=True)
class Answer:
    """What a box answered: `known`, its key is; `let_in`, so are we."""

    known: bool
    let_in: bool


def connect(box: Box) -> Answer:
    """Log in with strictly checked host keys; raises ContactError where the box does not answer or has another key."""
    status, said = _run(box.command("StrictHostKeyChecking=yes"))
    if status == 0:
        return Answer(known=True, let_in=True)
    if "REMOTE HOST IDENTIFICATION HAS CHANGED" in said:
        raise ContactError(
            f"{box.address} has another host key than the one in known_hosts. Find out why before anything else: "
            f"docs/recover.md, the last part"
        )
    if "Host key verification failed" in said:
        return Answer(known=False, let_in=False)
    if "Permission denied" in said:
        return Answer(known=True, let_in=False)
    reason = said.splitlines()[-1] if said else f"ssh ended with status {status}"
    raise ContactError(f"{box.address} cannot be reached: {reason}. Is it on, and does its sshd run?")


def fetch_host_key(box: Box) -> tuple[str, PublicKey]:
    """Return the box's line for known_hosts, and the key in it; nothing is trusted or written yet.

    By ssh itself with an empty file of known hosts, so jump hosts, ports and names of ssh's configuration count.
    """
    with tempfile.TemporaryDirectory(prefix="dlbox-host-key-") as folder:
        file = Path(folder) / "known_hosts"
        none = "GlobalKnownHostsFile=/dev/null"
        options = [f"UserKnownHostsFile={file}", none, "StrictHostKeyChecking=accept-new", "UpdateHostKeys=no"]
        _, said = _run(box.command(*options, "PreferredAuthentications=none"))
        lines = file.read_text(encoding="utf-8").splitlines() if file.exists() else []
    try:
        line = lines[0]
        return line, read(line.split(None, 1)[1])
    except (IndexError, MalformedKey):
        raise ContactError(
            f"{box.address} showed no host key: {said.splitlines()[-1] if said else 'no answer'}"
        ) from None


def classic_sudo(box: Box | None) -> bool:
    """Whether sudo is sudo-rs, asks for a password, and has the classic one beside it: Ubuntu 26.04 as installed.

    Ansible does not understand the prompt of sudo-rs (docs: ansible_become_exe). box: None for this machine.
    """
    # sudo-rs prints its version to standard error; -k: a password typed a minute ago is not one for later.
    question = "sudo --version 2>&1 | grep -q sudo-rs && command -v sudo.ws && ! sudo -k -n true"
    command = ["sh", "-c", question] if box is None else box.command("StrictHostKeyChecking=yes", run=question)
    return _run(command)[0] == 0


def trust(line: str, known_hosts: Path) -> None:
    """Add a line to the file of known hosts, which ssh holds every later connection to."""
    known_hosts.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    before = known_hosts.read_bytes() if known_hosts.exists() else b""
    new = b"" if not before or before.endswith(b"\n") else b"\n"
    with known_hosts.open("ab") as file:
        file.write(new + line.encode() + b"\n")
    if not before:
        known_hosts.chmod(0o600)
