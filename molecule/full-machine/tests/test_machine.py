"""A machine's first days, in order: each test goes on where the one before it ended."""

from __future__ import annotations

import re
import subprocess

from conftest import Box, dlbox

FINISHED = re.compile(r"ok=\d+ +changed=(\d+) +unreachable=0 +failed=0")


def changed(done: subprocess.CompletedProcess[str]) -> int:
    """Number of changed tasks of a run that went well."""
    assert done.returncode == 0, done.stdout + done.stderr
    assert "fatal:" not in done.stdout and "FAILED!" not in done.stdout, done.stdout
    found = FINISHED.search(done.stdout)
    assert found, done.stdout
    return int(found[1])


# --- as the installer left it -----------------------------------------------------------------------------------------


def test_the_box_is_a_machine_of_its_own(box: Box) -> None:
    """What the scenario promises: UEFI, Secure Boot, an own kernel; sudo asks; nothing is there for the test."""
    assert "running" in box.settled()
    assert box.output("test -d /sys/firmware/efi && od -An -t u1 -j 4 /sys/firmware/efi/efivars/SecureBoot-*") == "1"
    assert box.login("sudo --non-interactive true").returncode == 1, "sudo has to ask"
    assert "installed" not in box.login("dpkg-query -W -f '${db:Status-Status} ' python3-apt ufw").stdout.split()
    assert box.output("findmnt --noheadings --output FSTYPE /") == "ext4"


def test_plan(box: Box) -> None:
    done = dlbox("plan")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "debian-13" in done.stdout.lower().replace(" ", "-"), done.stdout


def test_check(box: Box) -> None:
    before = box.output("dpkg-query -W | sha256sum; find /etc -xdev -type f -exec sha256sum {} + | sort | sha256sum")
    assert changed(dlbox("check")) > 0
    after = box.output("dpkg-query -W | sha256sum; find /etc -xdev -type f -exec sha256sum {} + | sort | sha256sum")
    assert after == before
