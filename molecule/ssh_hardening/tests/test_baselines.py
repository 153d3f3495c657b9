"""Two independent baselines, control by control, from their published lists; what is not met is named with its reason.

- CIS Ubuntu Linux 24.04 LTS Benchmark 1.0.0, section 5.1 (22 controls).
- dev-sec ssh-baseline, server controls sshd-01 to sshd-48 (47 controls; 26 does not exist).

A control that is met although a deviation is recorded fails too, so that the record stays true.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

import pytest

Settings = dict[str, list[str]]


@dataclasses.dataclass(frozen=True)
class Control:
    """One control: its number, its title, how it is checked, and why a profile does not meet it."""

    number: str
    title: str
    met: Callable[[Any, Settings], bool]
    deviations: tuple[tuple[str, str], ...] = ()


def one(keyword: str, *values: str) -> Callable[[Any, Settings], bool]:
    """A keyword has one of these values."""
    return lambda _host, settings: " ".join(settings.get(keyword, [])) in values


def absent(keyword: str) -> Callable[[Any, Settings], bool]:
    """The server does not know a keyword any more; what it switched is gone."""
    return lambda _host, settings: keyword not in settings


def number(keyword: str, least: int, most: int) -> Callable[[Any, Settings], bool]:
    """A keyword's number lies within bounds."""
    return lambda _host, settings: least <= int(settings[keyword][0]) <= most


def without(keyword: str, *words: str) -> Callable[[Any, Settings], bool]:
    """None of a list's algorithms holds one of these words."""
    return lambda _host, settings: not [a for a in settings[keyword][0].split(",") if any(word in a for word in words)]


def modes(pattern: str, most: int, owner: str = "root:root") -> Callable[[Any, Settings], bool]:
    """All files of a pattern belong to root and give no more rights than a mode."""

    def check(host: Any, _settings: Settings) -> bool:
        lines = host.check_output(f"stat -c '%a %U:%G' {pattern}").splitlines()
        return all(int(line.split()[0], 8) & ~most == 0 and line.split()[1] == owner for line in lines)

    return check


def startups(host: Any, settings: Settings) -> bool:
    """MaxStartups is 10:30:60 or stricter."""
    begin, rate, full = map(int, settings["maxstartups"][0].split(":"))
    return begin <= 10 and rate <= 30 and full <= 60


def codes_at_most(host: Any, settings: Settings) -> bool:
    """No password dialogue: none at all, or the one-time code after the key where that was chosen."""
    chosen = host.file("/etc/pam.d/sshd").contains("pam_google_authenticator")
    return bool(chosen or settings["kbdinteractiveauthentication"] == ["no"])


def unless_chosen(keyword: str, variable: str) -> Callable[[Any, Settings], bool]:
    """A kind of forwarding is off unless the owner chose it."""
    return lambda host, settings: settings[keyword] == ["no"] or host.ansible.get_variables().get(variable) is True


def moduli(host: Any, _settings: Settings) -> bool:
    """No group below 2047 bits is left."""
    return bool(host.check_output("awk '$5 ~ /^[0-9]+$/ && $5 < 2047' /etc/ssh/moduli | wc -l") == "0")


def in_file(directive: str) -> Callable[[Any, Settings], bool]:
    """A directive that sshd -T does not print on every release stands in the drop-in."""
    return lambda host, _settings: (
        directive in host.file("/etc/ssh/sshd_config.d/00-dlbox.conf").content_string.splitlines()
    )


WEAK_CIPHERS = ("cbc", "3des", "arcfour", "blowfish", "cast128")
WEAK_KEX = ("group1-", "group14-sha1", "exchange-sha1")
WEAK_MACS = ("md5", "ripemd", "sha1", "-96", "umac-64", "hmac-sha2-256,", "hmac-sha2-512,")
FORWARDING = (
    "ssh -L for JupyterLab and the tunnel of VS Code Remote are how a workstation is used; only local forwarding is on"
)
NOISE = "a banner before every ssh, scp and git; CIS wants one, dev-sec none; strict shows it"
MANY = (
    "scp, rsync, git, an editor and dlbox at once begin more than ten logins; 128:30:256, of one address 64, "
    "so that no single address fills them"
)
STRONGER = "dev-sec's fixed list has algorithms that ssh-audit warns of, none that is safe from quantum computers first"

CIS = [
    Control("5.1.1", "permissions on sshd_config", modes("/etc/ssh/sshd_config /etc/ssh/sshd_config.d/*.conf", 0o600)),
    Control("5.1.2", "permissions on private host keys", modes("/etc/ssh/ssh_host_*_key", 0o600)),
    Control("5.1.3", "permissions on public host keys", modes("/etc/ssh/ssh_host_*_key.pub", 0o644)),
    Control("5.1.4", "access is configured", lambda _h, s: bool(s.get("allowusers") or s.get("allowgroups"))),
    Control("5.1.5", "Banner", lambda _h, s: s["banner"] != ["none"], (("workstation", NOISE),)),
    Control("5.1.6", "Ciphers", without("ciphers", *WEAK_CIPHERS)),
    Control(
        "5.1.7",
        "ClientAlive",
        lambda _h, s: int(s["clientaliveinterval"][0]) > 0 and int(s["clientalivecountmax"][0]) > 0,
    ),
    Control("5.1.8", "DisableForwarding", one("disableforwarding", "yes"), (("workstation", FORWARDING),)),
    Control("5.1.9", "GSSAPIAuthentication", one("gssapiauthentication", "no")),
    Control("5.1.10", "HostbasedAuthentication", one("hostbasedauthentication", "no")),
    Control("5.1.11", "IgnoreRhosts", one("ignorerhosts", "yes")),
    Control("5.1.12", "KexAlgorithms", without("kexalgorithms", *WEAK_KEX)),
    Control("5.1.13", "LoginGraceTime", number("logingracetime", 1, 60)),
    Control("5.1.14", "LogLevel", one("loglevel", "VERBOSE", "INFO")),
    Control("5.1.15", "MACs", without("macs", *WEAK_MACS)),
    Control("5.1.16", "MaxAuthTries", number("maxauthtries", 1, 4)),
    Control("5.1.17", "MaxSessions", number("maxsessions", 1, 10)),
    Control("5.1.18", "MaxStartups", startups, (("workstation", MANY),)),
    Control("5.1.19", "PermitEmptyPasswords", one("permitemptypasswords", "no")),
    Control("5.1.20", "PermitRootLogin", one("permitrootlogin", "no")),
    Control("5.1.21", "PermitUserEnvironment", one("permituserenvironment", "no")),
    Control("5.1.22", "UsePAM", one("usepam", "yes")),
]

BOTH = ("workstation", "strict")


def both(reason: str) -> tuple[tuple[str, str], ...]:
    """A reason that holds for both profiles."""
    return tuple((profile, reason) for profile in BOTH)


DEV_CIPHERS = (
    "chacha20-poly1305@openssh.com,aes256-gcm@openssh.com,aes128-gcm@openssh.com,aes256-ctr,aes192-ctr,aes128-ctr"
)
DEV_MACS = (
    "hmac-sha2-512-etm@openssh.com,hmac-sha2-256-etm@openssh.com,umac-128-etm@openssh.com,hmac-sha2-512,hmac-sha2-256",
    "hmac-sha2-512-etm@openssh.com,hmac-sha2-256-etm@openssh.com,hmac-sha2-512,hmac-sha2-256",
)
DEV_KEX = (
    "sntrup761x25519-sha512@openssh.com,curve25519-sha256@libssh.org,diffie-hellman-group-exchange-sha256",
    "curve25519-sha256@libssh.org,diffie-hellman-group-exchange-sha256",
)
KEYS = "/etc/ssh/ssh_host_ed25519_key"

DEV_SEC = [
    Control(
        "sshd-01",
        "ciphers",
        one("ciphers", DEV_CIPHERS),
        both("the same ciphers, ordered by key size as ssh-audit's policies want"),
    ),
    Control("sshd-02", "key exchange", one("kexalgorithms", *DEV_KEX), both(STRONGER)),
    Control(
        "sshd-03",
        "MACs",
        one("macs", *DEV_MACS),
        both("without the MACs that are not encrypt-then-mac, which ssh-audit warns of"),
    ),
    Control("sshd-04", "/etc/ssh", modes("/etc/ssh", 0o755)),
    Control("sshd-05", "sshd_config", modes("/etc/ssh/sshd_config", 0o600)),
    Control("sshd-06", "PermitRootLogin", one("permitrootlogin", "no", "without-password", "prohibit-password")),
    Control("sshd-07", "Port", one("port", "22")),
    Control("sshd-08", "AddressFamily", one("addressfamily", "any", "inet", "inet6")),
    Control("sshd-09", "ListenAddress", lambda _h, s: bool(s.get("listenaddress"))),
    Control("sshd-10", "Protocol 2", absent("protocol")),
    Control("sshd-11", "StrictModes", one("strictmodes", "yes")),
    Control("sshd-12", "SyslogFacility", one("syslogfacility", "AUTH")),
    Control("sshd-13", "LogLevel", one("loglevel", "VERBOSE")),
    Control(
        "sshd-14",
        "HostKey",
        one("hostkey", KEYS),
        both("clients that know the host by its RSA key keep finding it, from 3072 bits"),
    ),
    Control("sshd-15", "UseLogin", absent("uselogin")),
    Control("sshd-16", "privilege separation", absent("useprivilegeseparation")),
    Control("sshd-17", "PermitUserEnvironment", one("permituserenvironment", "no")),
    Control(
        "sshd-18",
        "LoginGraceTime",
        one("logingracetime", "30"),
        (("workstation", "a minute to unlock a key with its passphrase"),),
    ),
    Control(
        "sshd-19",
        "MaxAuthTries",
        one("maxauthtries", "2"),
        (("workstation", "an agent with three keys spends three tries"),),
    ),
    Control("sshd-20", "MaxSessions", one("maxsessions", "10")),
    Control(
        "sshd-21",
        "MaxStartups",
        one("maxstartups", "10:30:100"),
        (("workstation", MANY), ("strict", "CIS 5.1.18 wants 10:30:60, which is stricter")),
    ),
    Control("sshd-22", "PubkeyAuthentication", one("pubkeyauthentication", "yes")),
    Control("sshd-23", "IgnoreRhosts", one("ignorerhosts", "yes")),
    Control("sshd-24", "IgnoreUserKnownHosts", one("ignoreuserknownhosts", "yes")),
    Control("sshd-25", "HostbasedAuthentication", one("hostbasedauthentication", "no")),
    Control("sshd-27", "PasswordAuthentication", one("passwordauthentication", "no")),
    Control("sshd-28", "PermitEmptyPasswords", one("permitemptypasswords", "no")),
    Control("sshd-29", "challenge and response", codes_at_most),
    Control("sshd-30", "KerberosAuthentication", one("kerberosauthentication", "no")),
    Control("sshd-31", "KerberosOrLocalPasswd", one("kerberosorlocalpasswd", "no")),
    Control("sshd-32", "KerberosTicketCleanup", one("kerberosticketcleanup", "yes")),
    Control("sshd-33", "GSSAPIAuthentication", one("gssapiauthentication", "no")),
    Control("sshd-34", "GSSAPICleanupCredentials", one("gssapicleanupcredentials", "yes")),
    Control("sshd-35", "TCPKeepAlive", one("tcpkeepalive", "no")),
    Control("sshd-36", "ClientAliveInterval", one("clientaliveinterval", "300")),
    Control("sshd-37", "ClientAliveCountMax", one("clientalivecountmax", "3")),
    Control("sshd-38", "PermitTunnel", one("permittunnel", "no")),
    Control("sshd-39", "AllowTcpForwarding", one("allowtcpforwarding", "no"), (("workstation", FORWARDING),)),
    Control("sshd-40", "AllowAgentForwarding", unless_chosen("allowagentforwarding", "ssh_hardening_agent_forwarding")),
    Control("sshd-41", "GatewayPorts", one("gatewayports", "no")),
    Control("sshd-42", "X11Forwarding", unless_chosen("x11forwarding", "ssh_hardening_x11_forwarding")),
    Control("sshd-43", "X11UseLocalhost", one("x11uselocalhost", "yes")),
    Control("sshd-44", "PrintMotd", one("printmotd", "no")),
    Control(
        "sshd-45",
        "PrintLastLog",
        one("printlastlog", "no"),
        (("workstation", "the last login is news that its owner wants"),),
    ),
    Control("sshd-46", "Banner", one("banner", "none"), (("strict", "CIS 5.1.5 wants a banner"),)),
    Control("sshd-47", "DebianBanner", in_file("DebianBanner no")),
    Control("sshd-48", "DH primes", moduli),
]


def hold(control: Control, host: Any, sshd: Settings, profile: str) -> None:
    """A control is met, or its deviation is recorded for the profile; not both."""
    reason = dict(control.deviations).get(profile)
    met = control.met(host, sshd)
    if reason is None:
        assert met, f"{control.number} {control.title} is not met"
    else:
        assert not met, f"{control.number} {control.title} is met, and the deviation still recorded: {reason}"


@pytest.mark.parametrize("control", CIS, ids=lambda control: control.number)
def test_cis(control: Control, host: Any, sshd: Settings, profile: str) -> None:
    hold(control, host, sshd, profile)


@pytest.mark.parametrize("control", DEV_SEC, ids=lambda control: control.number)
def test_dev_sec(control: Control, host: Any, sshd: Settings, profile: str) -> None:
    hold(control, host, sshd, profile)


def test_strict_meets_all_of_cis() -> None:
    assert not [control.number for control in CIS if "strict" in dict(control.deviations)]
