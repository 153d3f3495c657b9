"""Nobody is locked out: every way to lose a host that was measured on published roles, over real ssh.

Each case ends with the owner logged in as before, over a new connection, and with an error that says what happened.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any

import pytest
from cases import PASSWORD, PROJECT, WINDOW, Box, Case, Play, Relay, keys_folder

OURS = ["ssh_hardening", "ufw"]
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
    box.until(box.lets_in, 30)


def reverted(box: Box, play: Play, before: str, *words: str) -> None:
    """The play ended with the guard's error, the host is as before, and the failed configuration can be read."""
    assert play.code == 2, play.out
    for word in ("was undone; logins work as before", "What failed: ", "outcome: rolled-back", "why: ", *words):
        assert word in play.out, play.out
    box.until(box.lets_in, 30)
    assert box.access_state() == before
    assert box.console("test -d /var/lib/dlbox/access_guard/failed/etc/ssh")[0] == 0
    assert "rolled back" in box.console("cat /var/lib/dlbox/access_guard/log")[1]


# --- the host undoes it; the longest waits first ----------------------------------------------------------------------


@case()
def case_controller_killed(box: Box) -> None:
    """SIGKILL right after the bad change: nobody is left to confirm or to roll back but the host."""
    before = box.access_state()
    process = box.start(["foreign_role"], foreign_role_does="close_port", access_guard_window=20)
    box.until(lambda: "dport 22" in box.console("iptables -S INPUT")[1], 120)
    box.kill(process)
    assert not box.lets_in()
    box.until(box.lets_in, 60)
    assert box.guard() == "rolled-back"
    assert box.access_state() == before


@case(mitogen=True)
def case_network_cut(box: Box) -> None:
    """The network drops in the window and comes back later."""
    before = box.access_state()
    process = box.start(["foreign_role"], foreign_role_does="allow_users_typo", access_guard_window=25)
    box.until(lambda: "00-foreign" in box.console("ls /etc/ssh/sshd_config.d")[1], 120)
    box.console("ip link set eth0 down")
    box.until(lambda: box.guard() == "rolled-back", 60)
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
    assert box.guard() == "rolled-back"
    assert "restarted" in box.console("cat /var/lib/dlbox/access_guard/reason")[1]
    assert box.access_state() == before
    assert process.returncode != 0, out


@case(full=True)
def case_port_moved_not_opened(box: Box) -> None:
    """The port moves, and a firewall that only knows the old one keeps the owner out."""
    box.console("ufw allow 22/tcp; ufw --force enable")
    before = box.access_state()
    play = box.play(["ssh_hardening"], dlbox_ssh_port=2222, access_guard_port=2222)
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
    play = box.play(["ssh_hardening"], dlbox_ssh_port=2222, access_guard_port=2222)
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
    reverted(box, box.play(["foreign_role"], foreign_role_does="keys_gone"), before, "/home/ada/.ssh/authorized_keys")


@case(mitogen=True)
def case_become_broken(box: Box) -> None:
    """The login works, and nobody becomes root any more: not the play either, so that only the host can undo it."""
    before = box.access_state()
    play = box.play(["foreign_role"], foreign_role_does="break_sudo", access_guard_window=20)
    reverted(box, play, before, "/etc/pam.d/sudo")


@case(mitogen=True)
def case_invalid_configuration(box: Box) -> None:
    """A configuration that sshd refuses: the restart fails, and the host rolls back at once."""
    before = box.access_state()
    reverted(box, box.play(["foreign_role"], foreign_role_does="invalid_config"), before, "00-foreign.conf")
    log = box.console("cat /var/lib/dlbox/access_guard/log")[1]
    times = [
        time.strptime(stamp, "%Y-%m-%dT%H:%M:%SZ") for stamp in re.findall(r"^(\S+) (?:armed|rolled back)", log, re.M)
    ]
    assert time.mktime(times[-1]) - time.mktime(times[0]) < WINDOW, f"waited for the timer: {log}"


@case(full=True)
def case_window_too_short(box: Box) -> None:
    """The window ends while the role still works: what it does afterwards is put back too."""
    before = box.access_state()
    play = box.play(["foreign_role", "foreign_role"], foreign_role_does="allow_users_typo", access_guard_window=2)
    reverted(box, play, before)


# --- what the guard itself takes for a proof --------------------------------------------------------------------------


@case(on="d12", mitogen=None)
def case_proofs(box: Box) -> None:
    """Neither an old connection nor the console confirms; a login over the loopback address does, from the machine."""
    guard = (PROJECT / "roles/access_guard/files/dlbox-guard").read_text()
    box.console(f"cat > /usr/local/sbin/dlbox-guard <<'GUARD'\n{guard}GUARD\nchmod 755 /usr/local/sbin/dlbox-guard")
    assert box.ssh(shared=True)[0] == 0
    change = "dlbox-guard arm 90 60 /etc/ssh && echo LogLevel VERBOSE > /etc/ssh/sshd_config.d/a.conf"
    change += " && dlbox-guard applied 90"
    assert "applied: rollback in 90 s" in box.console(change)[1]
    assert box.console("dlbox-guard arm 90 60 /etc/ssh")[0] == 75, "a second window"
    assert box.console("dlbox-guard confirm")[0] == 4, "from the console"
    assert box.ssh(words=("dlbox-guard", "confirm"), shared=True)[0] == 5, "over the connection from before"
    assert box.guard() == "pending"
    code, out = box.ssh(words=("dlbox-guard", "confirm"))
    assert (code, "confirmed: by a login" in out) == (0, True), out

    key = (keys_folder() / "ed25519").read_text()
    box.console(
        f"install -o ada -m 600 /dev/null /home/ada/.ssh/id_ed25519; cat > /home/ada/.ssh/id_ed25519 <<'KEY'\n{key}KEY"
    )
    box.console(change.replace("a.conf", "b.conf"))
    code, out = box.console("dlbox-guard confirm-local ada 22")
    assert (code, "confirmed: by a login of ada over the loopback address" in out) == (0, True), out

    box.console(change.replace("a.conf", "c.conf") + "; systemctl stop ssh.service")
    assert box.console("dlbox-guard confirm-local ada 22")[0] == 6, "sshd does not answer"
    box.console("dlbox-guard rollback 'by hand'")
    box.until(box.lets_in, 30)


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
    guard = (PROJECT / "roles/access_guard/files/dlbox-guard").read_text()
    box.console(f"cat > /usr/local/sbin/dlbox-guard <<'GUARD'\n{guard}GUARD\nchmod 755 /usr/local/sbin/dlbox-guard")
    box.console(OTHER_FIREWALLS)
    before, access = box.console(OF_OTHER_FIREWALLS)[1], box.access_state()
    assert "tcp dport 9 drop" in before and "before\nbefore\nenabled\nactive\ndisabled\ninactive" in before, before
    code, out = box.console("dlbox-guard arm 90 60 /etc/nftables.conf /etc/fail2ban /etc/firewalld")
    assert code == 0, out
    box.console(CHANGE_OTHER_FIREWALLS)
    assert "after\nafter\ndisabled\ninactive\nenabled\nactive" in box.console(OF_OTHER_FIREWALLS)[1]
    assert not box.lets_in()
    code, out = box.console("dlbox-guard applied 90 && dlbox-guard rollback 'by hand'")
    assert code == 0, out
    assert box.console(OF_OTHER_FIREWALLS)[1] == before
    assert box.access_state() == access
    reverted = box.console("cat /var/lib/dlbox/access_guard/reverted")[1].splitlines()
    for name in (
        "/etc/nftables.conf",
        "unit fail2ban.service",
        "unit firewalld.service",
        "firewall rules in the kernel (nft)",
    ):
        assert name in reverted, reverted
    box.until(box.lets_in, 30)


# --- the role refuses, before it touches anything ---------------------------------------------------------------------


@case(mitogen=True)
def case_refusals(box: Box) -> None:
    """Everything that leaves no usable login, with its reason and its remedy."""
    before = box.access_state()

    def run(user: str, password: bool = True, **more: object) -> Play:
        return box.play(
            ["ssh_hardening"], user=user, password=password, **{"ssh_hardening_allow_users": [user], **more}
        )

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
        return box.play(["ssh_hardening"], **more)

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
    refused(box, box.play(["ssh_hardening"]), before, "for ada: passwordauthentication is 'yes' and should be 'no'")


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

    The owner comes through a router that translates addresses, and sudo asks her for her password.
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
    }
    try:
        first = box.play(["foreign_role"], foreign_role_does="good", **owner)
        assert first.code == 0, first.out
        assert box.guard() == "confirmed"
        assert "confirmed: by a login" in box.console("cat /var/lib/dlbox/access_guard/log")[1]
        again = box.play(["foreign_role"], foreign_role_does="good", **owner)
        assert again.code == 0, again.out
        assert box.guard() == "released"
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
    """The scenario's own run, without ssh: armed, and kept because sshd answers and nobody has a key there to try."""
    assert host.check_output("dlbox-guard status") == "confirmed"
    log = host.check_output("cat /var/lib/dlbox/access_guard/log")
    assert "armed: rollback in 90 s" in log
    assert "confirmed: by the local user" in log
    assert log.count("armed: ") == 1, "the second run armed nothing"
