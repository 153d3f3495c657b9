"""A machine's first days, in order: each test goes on where the one before it ended."""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
import sys
import time
from pathlib import Path

import pytest
from conftest import CACHE, INVENTORY, PROJECT, Box, dlbox

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


def test_up(box: Box) -> None:
    assert changed(dlbox("up")) > 0
    assert box.guard() == "confirmed"
    assert "Status: active" in box.output("ufw status")
    assert box.lets_in()


def test_second_up(box: Box) -> None:
    assert changed(dlbox("up")) == 0


# --- what happens to a machine ----------------------------------------------------------------------------------------


def test_kernel_upgrade_and_reboot(box: Box) -> None:
    """The kernel that its metapackage names comes, as an update brings it; GRUB starts it, and all is as it was."""
    before, kernel = box.boot(), box.output("uname -r")
    state = box.access_state()
    box.output("DEBIAN_FRONTEND=noninteractive apt-get -o DPkg::Lock::Timeout=600 -qq install linux-image-amd64")
    box.root("systemctl reboot")
    box.started_again(before)
    newest = box.output("ls /boot/vmlinuz-* | sort --version-sort | tail -n 1").removeprefix("/boot/vmlinuz-")
    assert box.output("uname -r") == newest != kernel, "the archive has no other kernel than the disk's"
    assert "running" in box.settled()
    assert box.access_state() == state
    assert "Status: active" in box.output("ufw status")


def test_doctor(box: Box, tmp_path: Path) -> None:
    done = dlbox("doctor", "--format", "json", "--output", str(tmp_path))
    report = json.loads(done.stdout)
    failed = [check for check in report["checks"] if check["result"] == "fail"]
    assert done.returncode == 0 and not failed, failed
    results = {check["name"]: check["result"] for check in report["checks"]}
    assert results["firewall.outside"] == results["ssh.second-login"] == "ok", results


def test_up_after_the_reboot(box: Box) -> None:
    assert changed(dlbox("up")) == 0


# --- remote access goes wrong -----------------------------------------------------------------------------------------

# Locks everybody out, and is on the disk.
BAD = """
rm /etc/ssh/sshd_config
printf 'AllowUsers adda\\n' > /etc/ssh/sshd_config.d/00-bad.conf
printf 'AllowUsers adda\\n' > /etc/ssh/sshd_config
iptables -I INPUT -p tcp --dport 22 -m conntrack --ctstate NEW -j DROP
systemctl restart ssh.service
"""


def arm(window: int) -> str:
    """Shell text that arms the guard as a play does."""
    request = {
        "window": window,
        "paths": ["/etc/ssh", "/etc/ufw"],
        "units": ["ssh.service", "ssh.socket", "ufw.service"],
        "accounts": ["ada"],
        "admins": ["ada"],
        "controller": "",
    }
    return f"set -e; dlbox-guard arm <<< {shlex.quote(json.dumps(request))}"


def ended(box: Box) -> None:
    """The host has undone it, nothing is armed any more, and nothing is left beside the files."""
    box.until(box.lets_in)
    box.until(lambda: box.guard() == "rolled-back")
    units = "dlbox-guard.service dlbox-guard.timer dlbox-guard-boot.service"
    box.until(lambda: "active" not in box.output(f"systemctl is-active {units} || true").split())
    assert "enabled" not in box.output(f"systemctl is-enabled {units} || true").split()


@pytest.mark.parametrize("on_the_disk", [True, False], ids=["written", "at once"])
def test_reset_in_the_window(box: Box, on_the_disk: bool) -> None:
    """The reset button, with the change written to the disk or just made: the boot undoes it before sshd starts."""
    state, before = box.access_state(), box.boot()
    # The window is long: only the boot can be what undoes it.
    box.output(f"{arm(3600)}; {BAD}; {'sync' if on_the_disk else ''}")
    assert not box.lets_in(), "the harm has to be one"
    box.monitor("system_reset")
    box.started_again(before)
    ended(box)
    assert box.access_state() == state


def test_reset_in_the_window_of_a_play(box: Box, tmp_path: Path) -> None:
    """The same while a play changes remote access: the play ends with an error, and the old way in is open again."""
    state, before = box.access_state(), box.boot()
    log = tmp_path / "play.log"
    words = ["-e", "{access_guard_roles: [foreign_role], foreign_role_does: slow, access_guard_window: 600}"]
    playbook = Path(sys.executable).parent / "ansible-playbook"
    with log.open("w") as out:
        process = subprocess.Popen(
            [str(playbook), "-i", INVENTORY, "molecule/access/case.yml", *words],
            cwd=PROJECT,
            env={
                **os.environ,
                "ANSIBLE_CONFIG": str(PROJECT / "ansible.cfg"),
                "ANSIBLE_ROLES_PATH": str(PROJECT / "tests" / "fixtures"),
            },
            stdin=subprocess.DEVNULL, stdout=out, stderr=out,
        )  # fmt: skip
    try:
        # `slow` works on for a minute after it has written what shuts the owner out.
        box.until(lambda: process.poll() is not None or "Take longer than the window" in log.read_text())
        box.until(lambda: box.root("test -e /run/foreign-began").returncode == 0)
        box.monitor("system_reset")
        assert process.wait(2400) != 0, log.read_text()
    finally:
        process.kill()
    box.started_again(before)
    ended(box)
    assert box.access_state() == state
    assert "was undone" in log.read_text(), log.read_text()


# What happens in the window beside it.
FAULTS = {
    "clock set forward": "date --set='+3 hours'",
    "clock set back": "date --set='-2 days'",
    "immutable file": "chattr +i /etc/ssh/sshd_config /etc/ssh/sshd_config.d/00-bad.conf",
    "disk full to the last block": "cat /dev/zero > /var/filler || dd if=/dev/zero of=/etc/ssh/last bs=1 count=9999 || true",
}


@pytest.fixture
def own_clock(box: Box) -> None:
    """Nothing but the test sets the clock; it is right again afterwards."""
    box.output("timedatectl set-ntp false")
    yield
    box.output(f"date --set=@{int(time.time())}; timedatectl set-ntp true")


@pytest.mark.parametrize("fault", FAULTS)
def test_rollback(box: Box, own_clock: None, fault: str) -> None:
    """Reachable again, and as before, when the window is over; it is not over because a clock says so."""
    state = box.access_state()
    done = box.output(f"{arm(120)}; {BAD}; {FAULTS[fault]}; sleep 5; dlbox-guard status")
    assert done.splitlines()[-1] == "pending", done
    box.root("rm -f /var/filler")
    ended(box)
    box.output("rm -f /var/filler")
    assert box.access_state() == state


def test_immutable_configuration_is_refused(box: Box) -> None:
    """What could not be restored later is named before anything is changed."""
    state = box.access_state()
    box.output("chattr +i /etc/ssh/sshd_config")
    try:
        done = box.root(arm(120))
        assert done.returncode == 65 and "chattr -ia /etc/ssh/sshd_config" in done.stdout + done.stderr, done
    finally:
        box.output("chattr -i /etc/ssh/sshd_config")
    assert box.access_state() == state


# --- the disk is full -------------------------------------------------------------------------------------------------


def test_full_disk(box: Box) -> None:
    """An up on a full disk ends with its reason, and has changed nothing; with space again there is nothing to do."""
    state = box.access_state()
    box.output("cat /dev/zero > /var/filler || true; test $(stat -f -c %f /) -lt 1000")
    try:
        done = dlbox("up", "-e", "{base_packages_extra: [sl]}")
        assert done.returncode == 2 and "Make room" in done.stdout, done.stdout
        assert "changed=0" in done.stdout
        assert box.lets_in() and box.access_state() == state
    finally:
        box.output("rm /var/filler")
    assert changed(dlbox("up")) == 0
