"""The box as its owner sees it: an address and an ssh server; and as whoever stands before it: its reset button."""

from __future__ import annotations

import os
import shlex
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest

PROJECT = Path(__file__).resolve().parents[3]
CACHE = PROJECT / ".cache" / "machine"
HERE = Path(__file__).resolve().parent
INVENTORY = "molecule/full-machine/inventory"
NAME = "dlbox-full-machine"
# Seconds that anything may take where the machine is emulated and its host busy; nothing is asserted about time.
PATIENCE = 1800


class Box:
    """One emulated machine."""

    def __init__(self) -> None:
        """Read what create.yml recorded of it."""
        self.address = (CACHE / "address").read_text().strip()
        self.password = (CACHE / "password").read_text()

    def login(self, command: str, typed: str = "", seconds: int = PATIENCE) -> subprocess.CompletedProcess[str]:
        """Log in anew, as the owner does, and run shell text with this on its standard input."""
        settings = {
            "BatchMode": "yes",
            "ConnectTimeout": "20",
            "UserKnownHostsFile": str(CACHE / "known_hosts"),
            "StrictHostKeyChecking": "yes",
            "IdentitiesOnly": "yes",
            "ServerAliveInterval": "15",
        }
        options = [word for pair in settings.items() for word in ("-o", "=".join(pair))]
        words = ["ssh", "-F", "none", *options, "-i", str(CACHE / "ada"), f"ada@{self.address}", command]
        try:
            return subprocess.run(words, input=typed, capture_output=True, text=True, timeout=seconds, check=False)
        except subprocess.TimeoutExpired:
            return subprocess.CompletedProcess(words, 255, "", f"no answer within {seconds} s")

    def root(self, script: str, seconds: int = PATIENCE) -> subprocess.CompletedProcess[str]:
        """Run shell text as root, by the owner's password, in a new login."""
        # The password comes first on standard input, whether or not sudo asks, and is read away.
        command = f"sudo --stdin --reset-timestamp --prompt= bash -c {shlex.quote(script)}"
        return self.login(command, self.password, seconds)

    def output(self, script: str) -> str:
        """What shell text says as root; it has to succeed."""
        done = self.root(script)
        assert done.returncode == 0, f"{script}: {done.stdout}{done.stderr}"
        return done.stdout.strip()

    def lets_in(self) -> bool:
        """Whether the owner logs in and becomes root."""
        done = self.root("id -u", seconds=120)
        return done.returncode == 0 and done.stdout.strip() == "0"

    def until(self, condition: Callable[[], bool], seconds: int = PATIENCE) -> None:
        """Wait for a condition."""
        end = time.monotonic() + seconds
        while not condition():
            assert time.monotonic() < end, f"not within {seconds} s"
            time.sleep(3)

    def monitor(self, *words: str) -> None:
        """Do something to the hardware."""
        inside = [os.environ.get("DLBOX_ENGINE", "docker"), "exec", "--interactive", NAME, "python3", "-", *words]
        subprocess.run(inside, input=(HERE / "monitor.py").read_bytes(), check=True, timeout=PATIENCE)

    def boot(self) -> str:
        """Which boot this is; empty while the box does not answer."""
        done = self.login("cat /proc/sys/kernel/random/boot_id", seconds=120)
        return done.stdout.strip() if done.returncode == 0 else ""

    def settled(self) -> str:
        """What systemd says when the boot is over; units that have failed are named."""
        return self.output("systemctl is-system-running --wait; systemctl --failed --plain --no-legend")

    def started_again(self, before: str) -> None:
        """Wait until another boot than this one is over."""
        self.until(lambda: self.boot() not in ("", before))
        self.settled()

    def access_state(self) -> str:
        """All that decides about access, to be compared with itself: files, units and the kernel's rules."""
        return self.output(
            "find /etc/ssh /etc/ufw /etc/default/ufw /etc/pam.d /etc/sudoers* /home/*/.ssh -type f ! -name '*~'"
            " -exec sha256sum {} + | sort -k2;"
            "systemctl is-enabled ssh.service ssh.socket; systemctl is-active ssh.socket;"
            "iptables -S; ip6tables -S"
        )

    def guard(self) -> str:
        """The guard's last outcome."""
        return self.output("dlbox-guard status || true")


def dlbox(*words: str) -> subprocess.CompletedProcess[str]:
    """A command of the launcher, for this box, as the owner types it."""
    command, *more = words
    environment = {key: value for key, value in os.environ.items() if not key.startswith(("ANSIBLE_", "MOLECULE_"))}
    done = subprocess.run(
        ["./dlbox", command, "-i", INVENTORY, *more],
        cwd=PROJECT, env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False,
    )  # fmt: skip
    # The whole of it, whatever comes of the test.
    with (CACHE / "commands.log").open("a") as log:
        print(f"$ {shlex.join(done.args)}", done.stdout, done.stderr, f"-> {done.returncode}", sep="\n", file=log)
    return done


@pytest.fixture(scope="session")
def box() -> Box:
    """The machine that create.yml started."""
    return Box()
