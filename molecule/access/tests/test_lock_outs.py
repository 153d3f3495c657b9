"""Nobody is locked out: every way to lose a host that was measured on published roles, over real ssh.

Each case ends with the owner logged in as before, over a new connection, and with an error that says what happened.
"""

from __future__ import annotations

import concurrent.futures
import json
import re
import time
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any

import pytest
from cases import ON_THE_BOX, PASSWORD, PROJECT, WINDOW, Box, Case, Play, Relay, keys_folder

SSH, FIREWALL = "dlbox.workstation.ssh_hardening", "dlbox.workstation.ufw"
OURS = [SSH, FIREWALL]
UNITS = "dlbox-guard.service dlbox-guard.timer dlbox-guard-boot.service"
CASES: list[Case] = []


def case(
    on: str = "d13", full: bool = False, mitogen: bool | None = False
) -> Callable[[Callable[[Box], None]], Callable[[Box], None]]:
    """Make a function a case of the suite. The full run has each with mitogen and without it (None: no plays)."""

    def register(function: Callable[[Box], None]) -> Callable[[Box], None]:
        CASES.append(Case(function, on, full, bool(mitogen)))
        if mitogen is not None:
            CASES.append(Case(function, on, True, not mitogen))
        return function

    return register


def refused(box: Box, play: Play, before: str, *words: str) -> None:
    """The play ended before it touched anything, with these words."""
    assert play.code == 2, play.out
    for word in words:
        assert word in play.out, play.out
    assert "Nothing was changed" in play.out or "nothing was changed" in play.out, play.out
    assert box.access_state() == before
    assert box.guard() == "absent", "the guard was armed for nothing"
    box.until(box.lets_in, 60)


def reverted(box: Box, play: Play, before: str, *words: str) -> None:
    """The play ended with the guard's error, the host is as before, and the failed configuration can be read."""
    assert play.code == 2, play.out
    for word in ("was undone; logins work as before", "What failed first: ", "outcome: rolled-back", "why: ", *words):
        assert word in play.out, play.out
    assert "set up" not in play.out, "what was undone is not in the summary"
    box.until(box.lets_in, 60)
    assert box.access_state() == before
    assert "rolled-back: " in box.console("cat /var/lib/dlbox/access_guard/log")[1]
    ended(box)


def ended(box: Box) -> None:
    """Nothing is armed any more, and nothing is left beside the files."""
    box.until(lambda: "active" not in box.console(f"systemctl is-active {UNITS}")[1].split(), 30)
    assert "enabled" not in box.console(f"systemctl is-enabled {UNITS}")[1].split(), "a unit is still enabled"
    left = box.console("ls /var/lib/dlbox/access_guard; find / -xdev -name .dlbox-guard -o -name '.authorized_keys.*'")[
        1
    ]
    assert not set(left.split()) & {"copies", "ready", "snapshot.json"} and "/" not in left, left


# --- the host undoes it; the longest waits first ----------------------------------------------------------------------


@case()
def case_controller_killed(box: Box) -> None:
    """SIGKILL right after the bad change: nobody is left to confirm or to roll back but the host."""
    before = box.access_state()
    process = box.start(["foreign_role"], foreign_role_does="close_port", access_guard_window=60)
    box.until(lambda: "dport 22" in box.console("iptables -S INPUT")[1], 120)
    box.kill(process)
    assert not box.lets_in()
    box.until(box.lets_in, 120)
    box.until(lambda: box.guard() == "rolled-back", 60)
    assert box.access_state() == before


@case(mitogen=True)
def case_network_cut(box: Box) -> None:
    """The network drops in the window and comes back later."""
    before = box.access_state()
    process = box.start(["foreign_role"], foreign_role_does="allow_users_typo", access_guard_window=60)
    box.until(lambda: "00-foreign" in box.console("ls /etc/ssh/sshd_config.d")[1], 120)
    box.console("ip link set eth0 down")
    box.until(lambda: box.guard() == "rolled-back", 120)
    box.console("ip link set eth0 up")
    out = box.end(process)
    reverted(box, Play(process.returncode, out), before)


@case(mitogen=True)
def case_host_restarted(box: Box) -> None:
    """The host restarts in the window: the timer is gone, the boot unit acts before sshd starts."""
    before = box.access_state()
    process = box.start(["foreign_role"], foreign_role_does="allow_users_typo", access_guard_window=120)
    box.until(lambda: "00-foreign" in box.console("ls /etc/ssh/sshd_config.d")[1], 120)
    box.console("systemctl reboot")
    out = box.end(process)
    box.until(box.lets_in, 60)
    box.until(lambda: box.guard() == "rolled-back", 60)
    assert "restarted" in box.console("dlbox-guard report")[1]
    assert box.access_state() == before
    assert process.returncode != 0, out


@case(full=True)
def case_port_moved_not_opened(box: Box) -> None:
    """The port moves, and a firewall that only knows the old one keeps the owner out."""
    box.console("ufw allow 22/tcp; ufw --force enable")
    before = box.access_state()
    play = box.play([SSH], dlbox_ssh_port=2222, access_guard_port=2222)
    reverted(box, play, before, "/etc/ssh/sshd_config.d/00-dlbox.conf")
    assert (
        "port 2222"
        in box.console("cat /var/lib/dlbox/access_guard/failed/etc/ssh/sshd_config.d/00-dlbox.conf")[1].lower()
    )


@case(on="u2404", mitogen=True)
def case_port_moved_not_opened_by_socket(box: Box) -> None:
    """The same where systemd opens the port."""
    box.console("ufw allow 22/tcp; ufw --force enable")
    before = box.access_state()
    play = box.play([SSH], dlbox_ssh_port=2222, access_guard_port=2222)
    reverted(box, play, before, "/etc/systemd/system/ssh.socket.d")


@case()
def case_firewall_without_ssh(box: Box) -> None:
    """A list of rules that forgets ssh."""
    before = box.access_state()
    reverted(
        box, box.play(["foreign_role"], foreign_role_does="ufw_without_ssh"), before, "firewall rules in the kernel"
    )


@case(mitogen=True)
def case_established_only(box: Box) -> None:
    """Default deny that lets the established session live, so that the play itself notices nothing."""
    before = box.access_state()
    reverted(
        box, box.play(["foreign_role"], foreign_role_does="established_only"), before, "firewall rules in the kernel"
    )


@case(on="d12")
def case_foreign_role_closes_port(box: Box) -> None:
    """A foreign role that closes the port."""
    before = box.access_state()
    reverted(box, box.play(["foreign_role"], foreign_role_does="close_port"), before, "firewall rules in the kernel")


@case(on="d12", full=True)
def case_foreign_allow_users_typo(box: Box) -> None:
    """AllowUsers with a typo, from a role that does not check it."""
    before = box.access_state()
    reverted(box, box.play(["foreign_role"], foreign_role_does="allow_users_typo"), before, "00-foreign.conf")


@case(mitogen=True)
def case_keys_gone(box: Box) -> None:
    """A role that removes the owner's key."""
    before = box.access_state()
    reverted(box, box.play(["foreign_role"], foreign_role_does="keys_gone"), before, "authorized_keys of ada")


@case(mitogen=True)
def case_become_broken(box: Box) -> None:
    """The login works, and nobody becomes root any more: not the play either, so that only the host can undo it."""
    before = box.access_state()
    play = box.play(["foreign_role"], foreign_role_does="break_sudo", access_guard_window=60)
    reverted(box, play, before, "/etc/pam.d/sudo")


@case(mitogen=True)
def case_invalid_configuration(box: Box) -> None:
    """A configuration that sshd refuses: the restart fails, and the host rolls back at once."""
    before = box.access_state()
    reverted(box, box.play(["foreign_role"], foreign_role_does="invalid_config"), before, "00-foreign.conf")
    log = box.console("cat /var/lib/dlbox/access_guard/log")[1]
    times = [
        time.strptime(stamp, "%Y-%m-%dT%H:%M:%SZ") for stamp in re.findall(r"^(\S+) (?:armed|rolled-back)", log, re.M)
    ]
    assert time.mktime(times[-1]) - time.mktime(times[0]) < WINDOW, f"waited for the timer: {log}"


@case(mitogen=True)
def case_controller_stopped(box: Box) -> None:
    """The controller is stopped past the window and then goes on: nothing that it sends late changes the host again."""
    before = box.access_state()
    process = box.start(["foreign_role"], foreign_role_does="slow", access_guard_window=60)
    box.until(lambda: box.console("test -e /run/foreign-began")[0] == 0, 120)
    box.pause(process)
    box.until(lambda: box.guard() == "rolled-back", 120)
    repair = "/etc/ssh/sshd_config.d/10-mine.conf"
    box.console(f"echo 'MaxSessions 9' > {repair}")
    box.pause(process, go_on=True)
    out = box.end(process)
    assert box.console(f"cat {repair}; rm {repair}")[1] == "MaxSessions 9\n", "a repair by hand"
    reverted(box, Play(process.returncode, out), before, "why: the changes were not done within 60 s")
    assert "MaxSessions 5" not in box.console("ps -eo args")[1], "the task that ran goes on"


@case(mitogen=True)
def case_restart_left_for_later(box: Box) -> None:
    """A task leaves the restart that shuts everybody out behind it: the change is not made before that is done."""
    before = box.access_state()
    play = box.play(["foreign_role"], foreign_role_does="restart_later")
    reverted(box, play, before)


@case(mitogen=True)
def case_restart_detached(box: Box) -> None:
    """The same by a process that has detached itself from its task."""
    before = box.access_state()
    play = box.play(["foreign_role"], foreign_role_does="restart_detached")
    reverted(box, play, before)


@case()
def case_next_run(box: Box) -> None:
    """A run goes on after its window has ended and another has begun: that one's change is left alone."""
    first = box.start(["foreign_role"], foreign_role_does="allow_users_typo", access_guard_window=60)
    box.until(lambda: box.guard() == "pending", 120)
    box.pause(first)
    box.until(lambda: box.guard() == "rolled-back", 120)
    second = box.start(["foreign_role"], foreign_role_does="slow", access_guard_window=90)
    box.until(lambda: box.guard() == "pending", 120)
    box.pause(first, go_on=True)
    out = box.end(first)
    assert first.returncode == 2 and "another run has changed remote access there since" in out, out
    assert box.guard() == "pending", "the other run's change was undone"
    box.harm("dlbox-guard rollback")
    assert "was undone" in box.end(second)


@case(full=True)
def case_window_too_short(box: Box) -> None:
    """The window ends while the role still works: that task is ended, no further one starts, all is undone."""
    before = box.access_state()
    play = box.play(["foreign_role"], foreign_role_does="slow", access_guard_window=15)
    reverted(box, play, before, "why: the changes were not done within 15 s")


@case()
def case_firewall_fresh(box: Box) -> None:
    """ufw is not installed and apt's lock is held: the window begins when ufw is there, and undoing leaves it whole."""
    box.console("apt-get purge -y ufw; rm -rf /etc/ufw")
    code = "import fcntl, time; f = open('/var/lib/dpkg/lock-frontend', 'w'); fcntl.lockf(f, 2); time.sleep(25)"
    box.console(f'(setsid python3 -c "{code}" &) > /dev/null 2>&1')
    play = box.play([FIREWALL, "foreign_role"], foreign_role_does="allow_users_typo")
    assert play.code == 2 and "was undone; logins work as before" in play.out, play.out
    installed = box.console(
        "date -ud \"$(grep -h 'status installed ufw' /var/log/dpkg.log | tail -n 1 | cut -c 1-19)\" +%s"
    )[1]
    armed = box.console("date -ud \"$(sed -n 's/ armed: .*//p' /var/lib/dlbox/access_guard/log | head -n 1)\" +%s")[1]
    assert int(installed) <= int(armed), "packages come before the window"
    assert box.console("dpkg-query -W -f '${Status}' ufw; dpkg --verify ufw")[1] == "install ok installed"
    assert "inactive" in box.console("ufw status")[1]
    box.until(box.lets_in, 60)
    ended(box)
    again = box.play([FIREWALL])
    assert again.code == 0 and box.guard() == "confirmed", again.out
    assert "Status: active" in box.console("ufw status")[1] and box.lets_in()


@case()
def case_account_broken(box: Box) -> None:
    """Shell, groups and expiry of the owner's account change, so that no new login succeeds."""
    box.console("usermod --append --groups adm,staff ada")
    of_ada = "getent passwd ada; id -Gn ada; chage -l ada"
    accounts, before = box.console(of_ada)[1], box.access_state()
    play = box.play(["foreign_role"], foreign_role_does="break_account")
    reverted(box, play, before, "shell of ada", "groups of ada", "expiry of ada")
    assert box.console(of_ada)[1] == accounts and "adm" in accounts


# --- what the play says -----------------------------------------------------------------------------------------------


@case()
def case_answer_lost(box: Box) -> None:
    """The confirmation arrives and its answer does not: the change is kept, and the play says so."""
    process = box.start(["foreign_role"], foreign_role_does="good")
    box.until(lambda: box.guard() == "pending", 120)
    program = "/usr/local/sbin/dlbox-guard"
    box.console(f"mv {program} {program}.real")
    box.put("/usr/local/sbin", {"dlbox-guard": PROJECT / "molecule/access/tests/lost_answer.sh"})
    out = box.end(process)
    assert process.returncode == 0, out
    assert "The change was kept (by a login of ada" in out and "only the answer was lost" in out, out
    assert "was undone" not in out
    assert box.guard() == "confirmed"
    assert box.console("test -e /etc/ssh/sshd_config.d/00-foreign.conf")[0] == 0
    ended(box)


@case()
def case_undone_in_part(box: Box) -> None:
    """Something cannot be put back: the play names it with its reason, and the host goes on trying."""
    before = box.access_state()
    process = box.start(["foreign_role"], foreign_role_does="allow_users_typo")
    box.until(lambda: box.guard() == "pending", 120)
    box.console("iptables -A INPUT -p tcp --dport 9 -j DROP; mv /usr/sbin/iptables-restore /root/")
    out = box.end(process)
    assert process.returncode == 2, out
    assert "was undone in part. Not put back yet:" in out, out
    assert "- firewall rules in the kernel (iptables): " in out and "logins work as before" not in out, out
    box.until(box.lets_in, 60)
    box.console("mv /root/iptables-restore /usr/sbin/")
    box.until(lambda: box.guard() == "rolled-back", 90)
    assert box.access_state() == before
    ended(box)


@case(full=True)
def case_host_gone(box: Box) -> None:
    """The host does not come back after the change: the play says what it does not know."""
    process = box.start(["foreign_role"], foreign_role_does="allow_users_typo", access_guard_window=30)
    box.until(lambda: "00-foreign" in box.console("ls /etc/ssh/sshd_config.d")[1], 120)
    box.console("ip link set eth0 down")
    out = box.end(process)
    assert process.returncode != 0
    assert "It is not known how the change of remote access on" in out, out
    assert "was undone; logins" not in out
    box.until(lambda: box.guard() == "rolled-back", 60)


# --- with the controller on the host itself ---------------------------------------------------------------------------


@case(mitogen=None)
def case_controller_on_the_box(box: Box) -> None:
    """dlbox runs on the machine, in a login over ssh, then as another account in tmux: it asks for a second login."""
    box.bring_controller()
    before = box.access_state()
    play = box.play_on_the_box("foreign_role", "good")
    assert "Log in from a second terminal within 5 s" in play.out and f"ada@{box.address}" in play.out, play.out
    reverted(box, play, before, "nobody logged in anew")
    script = f"{ON_THE_BOX} foreign_role good access_guard_login_timeout=90 > /tmp/play.log 2>&1; echo $? > /tmp/code"
    code, out = box.ssh(words=("-u", "other", "-H", "tmux", "new-session", "-d", f"'{script}'"))
    assert code == 0, out
    box.until(lambda: "Log in from a second terminal" in box.console("cat /tmp/play.log")[1], 120)
    assert box.console("test -e /tmp/code")[0] == 1, "nobody has logged in yet"
    assert box.ssh(words=("sleep", "5"))[0] == 0
    box.until(lambda: box.console("test -e /tmp/code")[0] == 0, 60)
    assert box.console("cat /tmp/code")[1] == "0\n", box.console("cat /tmp/play.log")[1]
    assert "confirmed: by a login of ada" in box.console("cat /var/lib/dlbox/access_guard/log")[1]
    ended(box)


@case(mitogen=None)
def case_controller_on_the_box_stopped(box: Box) -> None:
    """The same with the controller stopped past the window: on the machine itself, too, what comes late is refused."""
    box.bring_controller()
    before = box.access_state()
    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        playing = pool.submit(box.play_on_the_box, "foreign_role", "slow", "access_guard_window=45")
        box.until(lambda: box.console("test -e /run/foreign-began")[0] == 0, 120)
        box.console("pkill -STOP -f '[a]nsible playbook'")
        box.until(lambda: box.guard() == "rolled-back", 120)
        box.console("pkill -CONT -f '[a]nsible playbook|[o]n_the_box'")
        play = playing.result()
    reverted(box, play, before, "why: the changes were not done within 45 s")
    assert "MaxSessions 5" not in box.console("ps -eo args")[1], "the task that ran goes on"


# --- what the guard itself takes for a proof --------------------------------------------------------------------------


def arm(box: Box, *paths: str, window: int = 300, **more: Any) -> tuple[int, str]:
    """Arm the guard at the console, as a play would; exit code and output."""
    request = {"window": window, "paths": paths, "units": ["ssh.service", "ssh.socket"], "accounts": [], **more}
    text = json.dumps({"admins": ["ada"], "controller": "", **request})
    return box.console(f"dlbox-guard arm <<'REQUEST'\n{text}\nREQUEST")


@case(on="d12", mitogen=None)
def case_proofs(box: Box) -> None:
    """Who was connected decides what is a proof: neither an old connection, nor loopback, nor the console."""
    box.install_guard()
    assert box.ssh(shared=True)[0] == 0
    code, out = arm(box, "/etc/ssh")
    assert (code, '"confirmed_by": "person"' in out, '"people": ["ada"]' in out) == (0, True, True), out
    box.console("echo LogLevel VERBOSE > /etc/ssh/sshd_config.d/a.conf")
    assert "applied: rollback in 300 s" in box.console("dlbox-guard applied 300")[1]
    assert arm(box, "/etc/ssh")[0] == 75, "a second window"
    assert box.console("dlbox-guard confirm")[0] == 4, "from the console"
    assert box.console("dlbox-guard console 22")[0] == 7, "somebody is connected over ssh"
    assert box.ssh(words=("dlbox-guard", "confirm"), shared=True)[0] == 5, "over the connection from before"
    assert box.ssh("other", words=("dlbox-guard", "confirm"))[0] == 7, "by somebody who is no admin"
    key = (keys_folder() / "ed25519").read_text()
    box.console(f"cat > /root/key <<'KEY'\n{key}KEY\nchmod 600 /root/key")
    inside = "ssh -i /root/key -o StrictHostKeyChecking=no -o BatchMode=yes ada@127.0.0.1 sudo dlbox-guard confirm"
    assert box.console(inside)[0] == 7, "over the loopback address"
    assert box.console("dlbox-guard await 3")[0] == 7, "nobody logs in"
    assert box.guard() == "pending"
    code, out = box.ssh(words=("dlbox-guard", "confirm"))
    assert (code, "confirmed: by a login of ada" in out) == (0, True), out
    ended(box)
    box.hang_up()
    assert '"confirmed_by": "console"' in arm(box, "/etc/ssh")[1]
    box.console(
        "echo LogLevel INFO > /etc/ssh/sshd_config.d/a.conf; dlbox-guard applied 300; systemctl stop ssh.service"
    )
    assert box.console("dlbox-guard console 22")[0] == 6, "sshd does not answer"
    box.console("systemctl start ssh.service")
    assert "a login was not tried" in box.console("dlbox-guard console 22")[1]


@case(mitogen=None)
def case_on_the_box_in_an_ssh_session(box: Box) -> None:
    """Started on the box in a login over ssh, under sudo for another account and with no variable of ssh's."""
    box.install_guard()
    request = {"window": 300, "paths": ["/etc/ssh"], "units": ["ssh.service"], "accounts": [], "admins": ["ada"]}
    box.console(f"echo '{json.dumps({**request, 'controller': 'MARK'})}' > /root/request")
    mark = '"$(cat /proc/sys/kernel/random/boot_id) $(readlink /proc/self/ns/pid)"'
    arming = f'sed s,MARK,{mark}, /root/request | env -i PATH="$PATH" dlbox-guard arm'
    box.console(
        f"cat > /root/ansible-playbook <<'SCRIPT'\n#!/bin/sh\n{arming}\nSCRIPT\nchmod 755 /root/ansible-playbook"
    )
    for words in ("", "sudo -u other sudo", "setsid --wait"):
        code, out = box.ssh(words=(*words.split(), "/root/ansible-playbook"))
        assert (code, '"confirmed_by": "person"' in out) == (0, True), f"{words}: {out}"
        box.console("dlbox-guard rollback 'by hand'")
        ended(box)


@case(mitogen=None)
def case_seen_to_log_in(box: Box) -> None:
    """The host sees the login that it asked for arrive, and nobody has to run anything there."""
    box.install_guard()
    assert box.ssh(shared=True)[0] == 0
    assert arm(box, "/etc/ssh")[0] == 0
    box.console("echo LogLevel VERBOSE > /etc/ssh/sshd_config.d/a.conf; dlbox-guard applied 300")
    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(box.console, "dlbox-guard await 90")
        box.until(lambda: "await" in box.console("ps -eo args")[1], 30)
        box.ssh(words=("sleep", "5"))
        code, out = waiting.result()
    assert (code, "confirmed: by a login of ada" in out) == (0, True), out


# --- the rollback in surroundings that turned hostile -----------------------------------------------------------------

# What happens in the window, beside a change that locks out; each has to end with the owner logged in.
HARMS = {
    "immutable file": "chattr +i /etc/ssh/sshd_config /etc/ssh/sshd_config.d/00-bad.conf",
    "append-only directory": "chattr +a /etc/ssh/sshd_config.d",
    "bind mount": "mount --bind /etc/hostname /etc/ssh/sshd_config",
    "mount over the directory": "mount -t tmpfs none /etc/ssh",
    "read-only mount": "mount -o remount,bind,ro /etc/ssh",
    "service stopped by hand": "systemctl stop dlbox-guard.service",
    "timer stopped by hand": "systemctl stop dlbox-guard.timer",
    "service killed again and again": "for i in 1 2 3 4; do systemctl kill -s KILL dlbox-guard.service; sleep 1; done",
    "killed all through the rollback": "(setsid sh -c 'sleep 7; for pause in .3 .6 .9 1.2 1.5 1.8 2.1 2.4; do"
    " sleep $pause; systemctl kill -s KILL dlbox-guard.service; done' &) >/dev/null 2>&1",
    "lock held": "(setsid flock /var/lib/dlbox/access_guard/lock sleep 25 &) >/dev/null 2>&1",
    "giant file": "truncate -s 400G /etc/ssh/sshd_config.d/01-giant.conf; truncate -s 400G /etc/ssh/moduli",
    "state damaged": "head -c 131072 /dev/urandom > /var/lib/dlbox/access_guard/state",
    "state cut off": "truncate -s 100 /var/lib/dlbox/access_guard/state",
    "host keys removed": "rm /etc/ssh/ssh_host_*",
    "directory removed": "rm -rf /etc/ssh",
}


@case(mitogen=None)
def case_hostile_surroundings(box: Box) -> None:
    """The fault-injection table: reachable over ssh again, and as before, in all of them."""
    box.install_guard()
    outcomes = {}
    for name, harm in HARMS.items():
        if name == "read-only mount":
            box.harm("mount --bind /etc/ssh /etc/ssh")
        before = box.access_state()
        code, out = arm(box, "/etc/ssh", "/etc/sudoers.d", window=8, accounts=["ada"])
        assert code == 0, f"{name}: {out}"
        bad = "echo AllowUsers adda > /etc/ssh/sshd_config.d/00-bad.conf; iptables -P INPUT DROP"
        box.harm(f"{bad}; systemctl restart ssh.service; {harm}")
        box.until(lambda: box.guard() == "rolled-back", 180)
        box.until(box.lets_in, 60)
        # What failed is kept on its filesystem, which for a mount of its own is here.
        box.console("rm -rf /etc/ssh/.dlbox-guard")
        outcomes[name] = "as before" if box.access_state() == before else "reachable, but not as before"
        box.console("umount -l /etc/ssh 2>/dev/null")
        ended(box)
        box.hang_up()
    print("\n".join(f"{name:<32}{outcome}" for name, outcome in outcomes.items()))
    assert set(outcomes.values()) == {"as before"}, outcomes


@case(mitogen=None)
def case_power_cut(box: Box) -> None:
    """The power goes at different moments of the rollback, and before it: after the next start all is as before."""
    box.install_guard()
    for moment in (2, 8, 8.5, 9.5):
        before = box.access_state()
        assert arm(box, "/etc/ssh", window=8, accounts=["ada"])[0] == 0
        box.console("echo AllowUsers adda > /etc/ssh/sshd_config.d/00-bad.conf; rm /etc/ssh/sshd_config")
        box.console("su ada -c 'rm ~/.ssh/authorized_keys'; systemctl restart ssh.service")
        time.sleep(moment)
        box.engine.api.kill(box.id)
        box.engine.api.start(box.id)
        box.until(lambda: box.guard() == "rolled-back", 120)
        box.until(box.lets_in, 60)
        assert box.access_state() == before, moment
        ended(box)
        box.hang_up()


@case(mitogen=None)
def case_refused_before_the_first_change(box: Box) -> None:
    """What could not be restored later is named with its remedy, and nothing is armed."""
    box.install_guard()
    before = box.access_state()
    cases = {
        "chattr +i /etc/ssh/sshd_config": ("chattr -ia /etc/ssh/sshd_config", "chattr -i /etc/ssh/sshd_config"),
        "mount --bind /etc/hostname /etc/ssh/moduli": ("umount /etc/ssh/moduli", "umount /etc/ssh/moduli"),
        "truncate -s 400G /etc/ssh/giant": ("/etc/ssh/giant has", "rm /etc/ssh/giant"),
        "chown ada /etc/ssh": ("chown root /etc/ssh", "chown root /etc/ssh"),
        "mkfifo /etc/ssh/pipe": ("/etc/ssh/pipe is no plain file", "rm /etc/ssh/pipe"),
    }
    for harm, (word, repair) in cases.items():
        box.harm(harm)
        code, out = arm(box, "/etc/ssh", "/etc/ssh/sshd_config")
        assert code == 65 and "Nothing was changed" in out and word in out, f"{harm}: {out}"
        box.console(repair)
        assert box.guard() == "none" and box.access_state() == before, harm
    assert "a home: declare the account" in arm(box, "/home/ada/.ssh")[1]
    ended(box)


@case(mitogen=None)
def case_full_disk(box: Box) -> None:
    """No space to the last block, also where the guard keeps its state; then no inodes where the configuration is."""
    box.install_guard()
    make = "cp -a /etc/ssh /root/etc-ssh && mount -t tmpfs -o size=4m,nr_inodes=160,mode=755 none /etc/ssh"
    assert box.console(f"{make} && cp -a /root/etc-ssh/. /etc/ssh/ && systemctl restart ssh.service")[0] == 0
    inodes = "mkdir /etc/ssh/many; for i in $(seq 200); do : > /etc/ssh/many/$i || break; done"
    assert box.console("mkdir /var/lib/dlbox; mount -t tmpfs -o size=4m,mode=700 none /var/lib/dlbox")[0] == 0
    last_block = (
        "dd if=/dev/zero of=/var/lib/dlbox/filler bs=4096; dd if=/dev/zero of=/var/lib/dlbox/last bs=1 count=9999"
    )
    for fill in (last_block, inodes):
        before = box.access_state()
        assert arm(box, "/etc/ssh", window=8)[0] == 0
        box.console("rm /etc/ssh/ssh_host_*; echo AllowUsers adda > /etc/ssh/sshd_config")
        box.console(f"(cat /dev/zero > /etc/ssh/filler; {fill}) 2>/dev/null")
        box.until(lambda: box.guard() == "rolled-back", 120)
        box.until(box.lets_in, 60)
        # What failed is kept on that filesystem, which is one of its own.
        assert box.console("ls /etc/ssh/.dlbox-guard/failed/etc/ssh")[1].count("filler") == 1
        box.console("rm -r /etc/ssh/.dlbox-guard; rm -f /var/lib/dlbox/filler /var/lib/dlbox/last")
        assert box.access_state() == before
        ended(box)
        box.hang_up()


@case(mitogen=None)
def case_hostile_home(box: Box) -> None:
    """An account that swaps its .ssh for a link gains nothing; what it has beside authorized_keys is not touched."""
    box.install_guard()
    secret = "ls -l /etc/profile.d; stat -c '%U %a' /etc/profile.d; sha256sum /etc/shadow"
    before = box.console(secret)[1]
    assert arm(box, "/etc/ssh", accounts=["ada", "other"])[0] == 0
    box.console("cd /home/ada; su ada -c 'mv .ssh kept; ln -s /etc/profile.d .ssh'")
    box.console("su other -c 'rm ~/.ssh/authorized_keys; touch ~/.ssh/id_new ~/.ssh/known_hosts'")
    box.console("dlbox-guard rollback 'by hand'")
    assert box.console(secret)[1] == before, "root followed a link of an account"
    assert box.guard() == "partly" and "authorized_keys of ada" in box.console("dlbox-guard report")[1]
    assert box.ssh("other")[0] == 0, "the keys of the other account are back"
    assert box.console("ls /home/other/.ssh")[1].split() == ["authorized_keys", "id_new", "known_hosts"]
    box.console("cd /home/ada; su ada -c 'rm .ssh; mv kept .ssh; rm -f .ssh/authorized_keys'")
    box.until(lambda: box.guard() == "rolled-back", 90)
    box.until(box.lets_in, 60)
    ended(box)


@case(mitogen=None)
def case_repair_by_hand(box: Box) -> None:
    """After a rollback nothing is touched any more and sshd not restarted; tables without rules are none."""
    box.install_guard()
    started = "systemctl show --value --property=ExecMainStartTimestampMonotonic ssh.service"
    assert arm(box, "/etc/ssh", window=5)[0] == 0
    box.console("iptables -t nat -A POSTROUTING -j ACCEPT; echo AllowUsers adda > /etc/ssh/sshd_config.d/00-bad.conf")
    box.until(lambda: box.guard() == "rolled-back", 60)
    ended(box)
    since = box.console(started)[1]
    box.console("echo MaxSessions 9 > /etc/ssh/sshd_config.d/10-mine.conf; iptables -A INPUT -p tcp --dport 9 -j DROP")
    time.sleep(20)
    assert box.console("cat /etc/ssh/sshd_config.d/10-mine.conf; iptables -S INPUT")[1].count("9") >= 2
    assert box.console(started)[1] == since, "sshd was restarted again"


OTHER_FIREWALLS = """
for unit in fail2ban firewalld; do
  printf '[Service]\\nExecStart=sleep infinity\\n[Install]\\nWantedBy=multi-user.target\\n' \\
    > /etc/systemd/system/$unit.service
  mkdir -p /etc/$unit && echo before > /etc/$unit/local.conf
done
systemctl enable --now fail2ban.service
nft add table inet mine
nft add chain inet mine input '{ type filter hook input priority 5; policy accept; }'
nft add rule inet mine input tcp dport 9 drop
"""
CHANGE_OTHER_FIREWALLS = """
systemctl disable --now fail2ban.service
systemctl enable --now firewalld.service
for unit in fail2ban firewalld; do echo after > /etc/$unit/local.conf; done
echo 'flush ruleset' > /etc/nftables.conf
nft delete table inet mine
nft add table inet theirs
nft add chain inet theirs input '{ type filter hook input priority 5; policy drop; }'
"""
OF_OTHER_FIREWALLS = """
nft -s list ruleset inet; cat /etc/nftables.conf /etc/fail2ban/local.conf /etc/firewalld/local.conf
for unit in fail2ban firewalld; do systemctl is-enabled $unit; systemctl is-active $unit; done
"""


@case(on="d12", mitogen=None)
def case_other_firewalls(box: Box) -> None:
    """What belongs to nftables, firewalld and fail2ban (stand-ins for these two services) is restored as well."""
    box.install_guard()
    box.console(OTHER_FIREWALLS)
    before, access = box.console(OF_OTHER_FIREWALLS)[1], box.access_state()
    assert "tcp dport 9 drop" in before and "before\nbefore\nenabled\nactive\ndisabled\ninactive" in before, before
    units = ["ssh.service", "ssh.socket", "fail2ban.service", "firewalld.service", "nftables.service"]
    code, out = arm(box, "/etc/nftables.conf", "/etc/fail2ban", "/etc/firewalld", units=units)
    assert code == 0, out
    box.console(CHANGE_OTHER_FIREWALLS)
    assert "after\nafter\ndisabled\ninactive\nenabled\nactive" in box.console(OF_OTHER_FIREWALLS)[1]
    assert not box.lets_in()
    code, out = box.console("dlbox-guard applied 300 && dlbox-guard rollback 'by hand'")
    assert code == 0, out
    assert box.console(OF_OTHER_FIREWALLS)[1] == before
    assert box.access_state() == access
    reverted = box.console("dlbox-guard report")[1]
    for name in (
        "/etc/nftables.conf",
        "unit fail2ban.service",
        "unit firewalld.service",
        "firewall rules in the kernel (nft)",
    ):
        assert name in reverted, reverted
    box.until(box.lets_in, 60)


# --- the role refuses, before it touches anything ---------------------------------------------------------------------


@case(mitogen=True)
def case_refusals(box: Box) -> None:
    """Everything that leaves no usable login, with its reason and its remedy."""
    before = box.access_state()

    def run(user: str, password: bool = True, **more: object) -> Play:
        return box.play([SSH], user=user, password=password, **{"ssh_hardening_allow_users": [user], **more})

    refused(
        box, run("nokey"), before, "nokey: ", "/home/nokey/.ssh/authorized_keys does not exist", "ssh-keygen -t ed25519"
    )
    refused(box, run("malformed"), before, "/home/malformed/.ssh/authorized_keys line 1: its base64 part is damaged")
    refused(box, run("ecdsa"), before, "is of type ecdsa-sha2-nistp256, which the server will not accept")
    refused(box, run("loose"), before, "is writable by others (mode 0666): chmod go-w /home/loose/.ssh/authorized_keys")


@case(on="d12")
def case_refusals_of_lists(box: Box) -> None:
    """The lists of users and groups, the account that expired, and the configuration that sshd refuses."""
    before = box.access_state()

    def run(**more: object) -> Play:
        return box.play([SSH], **more)

    refused(
        box,
        run(ssh_hardening_allow_users=["adda"]),
        before,
        "adda: has no account on the host",
        "ada: is not in AllowUsers (adda)",
    )
    refused(
        box,
        run(ssh_hardening_allow_users=["other"]),
        before,
        "ada: is not in AllowUsers (other)",
        "set ansible_user to one that could: other",
    )
    refused(
        box,
        run(ssh_hardening_allow_groups=["sudo"]),
        before,
        "ada: is in none of AllowGroups (sudo); its groups are ada",
    )
    expired = run(ssh_hardening_allow_users=["expired"])
    refused(box, expired, before, "expired: has expired on 1970-01-02: chage --expiredate -1 expired")
    refused(
        box,
        run(ssh_hardening_settings={"PermitRootLogin": "perhaps"}),
        before,
        "sshd refuses the configuration",
        "00-dlbox.conf",
    )


@case()
def case_refusal_of_a_match_block(box: Box) -> None:
    """A Match block elsewhere that would win over the drop-in is named, not overlooked."""
    box.console("printf 'Match User ada\\nPasswordAuthentication yes\\n' > /etc/ssh/sshd_config.d/99-match.conf")
    before = box.access_state()
    refused(box, box.play([SSH]), before, "for ada: passwordauthentication is 'yes' and should be 'no'")


# --- the good path ----------------------------------------------------------------------------------------------------


def unchanged(box: Box, **more: Any) -> None:
    """Another run changes nothing, arms nothing, and logs in once at most."""
    stamp, logins = box.console("stat -c %Y /var/lib/dlbox/access_guard/log")[1], box.logins()
    play = box.play(OURS, port=2222, dlbox_ssh_port=2222, access_guard_port=2222, **more)
    assert play.code == 0, play.out
    assert play.changed == 0, play.out
    assert "arm the rollback" not in play.out
    assert box.console("stat -c %Y /var/lib/dlbox/access_guard/log")[1] == stamp
    assert box.logins() - logins <= 1, "a connection for nothing"


def good_path(box: Box, **more: Any) -> None:
    """New port and new firewall in one window, confirmed; the second run arms nothing and changes nothing."""
    first = box.play(OURS, dlbox_ssh_port=2222, access_guard_port=2222, **more)
    assert first.code == 0, first.out
    assert box.guard() == "confirmed"
    assert "confirmed: by a login" in box.console("cat /var/lib/dlbox/access_guard/log")[1]
    box.until(lambda: box.lets_in(port=2222), 30)
    assert box.ssh("other", 2222)[0] == 255, "a login that is not on the list"
    assert "set ansible_port to it" in first.out
    fingerprint = box.console("ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key")[1].split()[1]
    assert fingerprint in " ".join(first.out.split()), "the owner is told how to know the host"
    unchanged(box, **more)


def moving(box: Box) -> None:
    """The old port stays open beside the new one for a while; when it goes, that is guarded and confirmed too."""
    good_path(box, ssh_hardening_extra_ports=[22])
    assert box.lets_in(port=22), "the old port, in the meantime"
    last = box.play(OURS, port=2222, dlbox_ssh_port=2222, access_guard_port=2222)
    assert last.code == 0, last.out
    assert box.guard() == "confirmed"
    box.until(lambda: box.lets_in(port=2222), 30)
    assert not box.lets_in(port=22)
    assert " 22/tcp" not in box.console("ufw status")[1].replace("\n", "\n ")


@case(mitogen=True)
def case_good_path(box: Box) -> None:
    """By service, as the launcher runs it."""
    good_path(box)
    assert not box.lets_in(port=22)


@case(on="u2404")
def case_good_path_by_socket(box: Box) -> None:
    """By socket, with a second port during the move."""
    moving(box)


@case(on="d12", full=True)
def case_good_path_d12(box: Box) -> None:
    """With an older OpenSSH, whose sessions and listener share a name, and a second port during the move."""
    moving(box)


@case(on="d12", mitogen=True)
def case_foreign_role_good(box: Box) -> None:
    """A foreign role that does no harm is confirmed; one that changes nothing is let go.

    The owner comes through a router that translates addresses and ports, and sudo asks her for her password.
    """
    box.console("echo 'ada ALL=(ALL) ALL' > /etc/sudoers.d/suite")
    assert not box.lets_in(), "sudo asks for the password"
    router = Relay(box.address)
    common = (
        f"-o UserKnownHostsFile={box.known_hosts} -o StrictHostKeyChecking=yes -o HostKeyAlias={box.address} -F none"
    )
    owner = {
        "ansible_host": "127.0.0.1",
        "ansible_port": router.port,
        "ansible_ssh_common_args": common,
        "ansible_become_password": PASSWORD,
        # As the stage secure says it; the host does not move to it, it is there, and the router's port stays.
        "access_guard_port": 22,
    }
    try:
        # The run's own; the window's, as mitogen has one for each Python; and the new one, which confirms. ssh alone
        # shares the first with the window, and needs two that are new: one to wait with, one to confirm with.
        logins = box.logins()
        first = box.play(["foreign_role"], foreign_role_does="good", **owner)
        assert first.code == 0, first.out
        assert box.logins() - logins == 3
        assert box.guard() == "confirmed"
        assert "confirmed: by a login" in box.console("cat /var/lib/dlbox/access_guard/log")[1]
        again = box.play(["foreign_role"], foreign_role_does="good", **owner)
        assert again.code == 0, again.out
        assert box.guard() == "released"
        assert box.logins() - logins <= 3 + (2 if box.strategy else 1), "nothing had to be confirmed"
    finally:
        router.close()


# ----------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "case",
    [pytest.param(c, id=c.name, marks=[pytest.mark.full] if c.full else []) for c in CASES],
)
def test_nobody_is_locked_out(case: Case, outcomes: dict[str, Future[None]]) -> None:
    outcomes[case.name].result()


def test_at_the_machine_itself_the_local_user_confirms(host: Any) -> None:
    """The scenario's own run, with nobody connected over ssh: armed, and kept because sshd answers."""
    assert host.check_output("dlbox-guard status") == "confirmed"
    log = host.check_output("cat /var/lib/dlbox/access_guard/log")
    assert "armed: rollback in 180 s" in log
    assert "confirmed: by the person at the console: sshd answers on port 22; a login was not tried" in log
    assert log.count("armed: ") == 1, "the second run armed nothing"
