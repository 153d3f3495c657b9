"""What the checks read out of texts: source lists, firewall rules, sshd's settings, kernel names."""

from __future__ import annotations

import json
import socket
import time
from typing import Any

import pytest
from ansible_collections.dlbox.workstation.plugins.module_utils.probe import environments
from ansible_collections.dlbox.workstation.plugins.plugin_utils.doctor import outside
from ansible_collections.dlbox.workstation.plugins.plugin_utils.doctor.checks import apt, firewall, gpu, ssh
from ansible_collections.dlbox.workstation.plugins.plugin_utils.doctor.model import Context


@pytest.mark.parametrize(
    ("line", "ports", "protocol", "ours"),
    [
        ("ufw limit 22/tcp comment 'dlbox: ssh'", {22}, "tcp", True),
        ("ufw allow 8000:8002/tcp", {8000, 8001, 8002}, "tcp", False),
        ("ufw allow from 192.168.1.0/24 to any port 445 proto tcp comment 'dlbox: files'", {445}, "tcp", True),
        ("ufw allow in on eth0 to any port 53", {53}, "", False),
        ("ufw allow OpenSSH", {22}, "", False),
        ("ufw allow from 10.0.0.5", set(), "", False),
        ("ufw allow 80,443/tcp", {80, 443}, "tcp", False),
    ],
)
def test_firewall_rules(line: str, ports: set[int], protocol: str, ours: bool) -> None:
    rule = firewall.parse_rule(line)
    assert rule is not None
    assert (set(rule.ports), rule.protocol, rule.ours) == (ports, protocol, ours)


@pytest.mark.parametrize(
    "line", ["", "Added user rules (see 'ufw status' for running firewall):", "(None)", "ufw route allow 80"]
)
def test_other_lines_are_no_rules(line: str) -> None:
    assert firewall.parse_rule(line.replace("'", "")) is None


def with_rules(*lines: str) -> Context:
    return Context({"firewall": {"added": {"out": "\n".join(lines)}, "status": {"rc": 0, "out": "Status: active"}}})


@pytest.mark.parametrize(
    ("rc", "err", "result", "words"),
    [
        (None, "ufw is not installed", "warn", "is not installed"),
        (None, "/usr/sbin/ufw did not end within 20 s", "warn", "did not end"),
        (1, "ERROR: You need to be root to run this script", "na", "need to be root"),
    ],
)
def test_a_firewall_that_says_nothing_is_neither_off_nor_missing(
    rc: int | None, err: str, result: str, words: str
) -> None:
    seen = with_rules()
    seen.evidence["firewall"].update(status={"rc": rc, "out": "", "err": err}, input={}, config="")
    seen.evidence.update(ssh_server={"installed": False}, listening={"out": ""})
    seen.outside.update({"open": [8000], "closed": [], "from": "desk"})
    outcome = firewall.is_active(seen)
    assert outcome.result == result and words in outcome.observed
    known = "not installed" in err
    assert firewall.outside(seen).result == ("fail" if known else "na")
    assert firewall.only_ours(seen).result == "na" and (words in firewall.only_ours(seen).observed)


def test_a_port_is_allowed_by_the_owner_s_list_only_where_there_is_one() -> None:
    seen = with_rules("ufw allow 22/tcp comment 'dlbox: ssh'", "ufw allow 7777/tcp")
    assert firewall.managed(seen)
    assert firewall.allowed(seen, 7777) and not firewall.allowed(seen, 7777, ours_only=True)
    assert not firewall.managed(with_rules("ufw allow 7777/tcp"))
    assert not firewall.allowed(with_rules("ufw deny 7777/tcp"), 7777)


def test_one_line_sources_with_options_comments_and_components() -> None:
    text = (
        "# deb http://a b c\ndeb [arch=amd64 signed-by=/k.gpg trusted=yes] http://x.org/d/ stable main contrib # why\n"
    )
    found = apt.sources(Context({"apt_sources": {"/l.list": text}}))
    assert [source.component for source, _entry in found] == ["main", "contrib"]
    source, entry = found[0]
    assert source == apt.Source("deb", "http://x.org/d", "stable", "main")
    assert (entry.signed_by, entry.trusted, entry.file) == ("/k.gpg", True, "/l.list")


def test_deb822_sources_with_folded_fields_and_disabled_stanzas() -> None:
    text = (
        "Types: deb deb-src\nURIs: http://x.org\nSuites: a b\nComponents: main\nSigned-By:\n -----BEGIN\n .\n\n"
        "Enabled: no\nTypes: deb\nURIs: http://y.org\nSuites: a\n"
    )
    found = apt.sources(Context({"apt_sources": {"/s.sources": text}}))
    assert {(source.kind, source.suite) for source, _entry in found} == {
        ("deb", "a"),
        ("deb", "b"),
        ("deb-src", "a"),
        ("deb-src", "b"),
    }
    assert all(entry.signed_by for _source, entry in found)


MAIN = "Types: deb\nURIs: file:/srv/main\nSuites: ./\nSigned-By: /k.gpg\n"


@pytest.mark.parametrize(
    ("line", "duplicates", "signed"),
    [
        ("deb [signed-by=/k.gpg] file:/srv/other ./", "ok", "ok"),
        ("deb [signed-by=/k.gpg] file:/srv/main/ ./", "warn", "ok"),
        ("deb [signed-by=/other.gpg] file:/srv/main ./", "fail", "ok"),
        ("deb [trusted=yes] http://apt.example.com ./", "ok", "fail"),
        ("deb http://apt.example.com stable main", "ok", "warn"),
        ("deb http://ftp.xx.debian.org/debian trixie main", "ok", "ok"),
    ],
)
def test_a_repository_beside_another_in_the_other_format(line: str, duplicates: str, signed: str) -> None:
    seen = Context({"apt_sources": {"/main.sources": MAIN, "/second.list": line}})
    assert (apt.sources_duplicates(seen).result, apt.sources_signed(seen).result) == (duplicates, signed)


def key_listing(end: float | None) -> dict[str, Any]:
    return {
        "rc": 0,
        "out": f"pub:-:256:22:ABCD:1700000000:{int(end) if end else ''}::-:::scSC:\nsub:e:256:18:EF:1:2::::\n",
        "err": "",
    }


@pytest.mark.parametrize(("days", "result"), [(None, "ok"), (400, "ok"), (20, "warn"), (-3, "fail")])
def test_key_ends(days: int | None, result: str) -> None:
    path = "/usr/share/keyrings/x.gpg"
    end = None if days is None else time.time() + days * 86400
    sources = {"/etc/apt/sources.list.d/x.list": f"deb [signed-by={path}] http://x.org stable main"}
    outcomes = list(apt.keys(Context({"apt_keys": {path: key_listing(end)}, "apt_sources": sources})))
    assert [outcome.result for outcome in outcomes] == [result]


@pytest.mark.parametrize(
    ("line", "words", "result"),
    [
        (
            "NVRM: Xid (PCI:0000:01:00): 79, pid='<unknown>', name=<unknown>, GPU has fallen off the bus.",
            "fell off",
            "fail",
        ),
        ("NVRM: Xid (PCI:0000:01:00): 13, pid=1, Graphics Exception", "program", "warn"),
        ("NVRM: Xid (PCI:0000:01:00): 48, pid=1, DBE (double bit error)", "memory has errors", "fail"),
        ("NVRM: Xid (PCI:0000:01:00): 119, pid=1, Timeout waiting for RPC from GSP!", "GSP", "fail"),
        ("NVRM: API mismatch: the client has the version 580.178.04, but", "upgraded under", "fail"),
        ("NVRM: GPU 0000:01:00.0: RmInitAdapter failed! (0x24:0xffff:1589)", "could not start", "fail"),
    ],
)
def test_kernel_messages_in_words(line: str, words: str, result: str) -> None:
    (found,) = gpu.kernel_log(Context({"kernel_log": {"readable": True, "why": "", "lines": [f"[1.0] {line}"]}}))
    assert found.result == result and words in found.observed and line[:60] in found.observed


def admin_checks(problems: list[str], passwordless: bool | None, **wanted: str) -> list[tuple[str, str]]:
    evidence = {
        "ssh_server": {"installed": True, "logins": {"ada": {"keys": 1, "problems": problems}}},
        "admin_accounts": [{"name": "ada", "passwordless": passwordless}],
    }
    named = [{"name": "ada", **wanted}] if wanted.pop("named", "yes") == "yes" else []
    return [(one.result, one.observed) for one in ssh.admins(Context(evidence, {}, {"dlbox_admins": named}))]


def test_an_admin_who_cannot_log_in_is_a_failure_and_a_member_of_sudo_is_not() -> None:
    assert admin_checks([], False) == [("ok", "1 key(s)")]
    assert admin_checks(["has expired on 2026-01-01: chage"], None)[0][0] == "fail"
    assert admin_checks(["holds no key"], None, named="no")[0][0] == "na"


def test_a_rule_of_another_file_that_spares_the_password_is_told() -> None:
    assert [result for result, _ in admin_checks([], True)] == ["ok", "warn"]
    assert [result for result, _ in admin_checks([], True, sudo="nopasswd")] == ["ok"]
    assert [result for result, _ in admin_checks([], True, named="no")] == ["ok"], "of others the owner disposes"


@pytest.mark.parametrize(
    ("keyless", "unknown", "result"),
    [
        ([], [], "ok"),
        ([{"sentence": "a:1 (Match User bob): password without a key", "methods": ["password"]}], [], "fail"),
        ([{"sentence": "a:1 (Match User bob): hostbased without a key", "methods": ["hostbased"]}], [], "warn"),
        ([], ["a:1 (Match Group x): no account is known that meets it"], "warn"),
    ],
)
def test_keys_only_is_said_where_it_is_so(keyless: list[dict[str, Any]], unknown: list[str], result: str) -> None:
    found = {"installed": True, "effective": {"root": {"port": ["22"]}}, "keyless": keyless, "keyless_unknown": unknown}
    outcome = ssh.passwords(Context({"ssh_server": found}))
    assert outcome.result == result and ("keys only" in outcome.observed) == (result == "ok")
    assert all(text in outcome.observed for text in [*unknown, *(one["sentence"] for one in keyless)])


def test_sockets_and_loopback() -> None:
    out = (
        'tcp LISTEN 0 128 0.0.0.0:22 0.0.0.0:* users:(("sshd",pid=1,fd=3))\n'
        "tcp LISTEN 0 128 127.0.0.1:8888 0.0.0.0:*\ntcp LISTEN 0 128 [::1]:8888 [::]:*\n"
        "tcp LISTEN 0 128 *:9100 *:*\nudp UNCONN 0 0 127.0.0.53%lo:53 0.0.0.0:*\n"
    )
    found = ssh.sockets(Context({"listening": {"out": out}}))
    assert [(item.port, item.loopback) for item in found] == [
        (22, False),
        (8888, True),
        (8888, True),
        (9100, False),
        (53, True),
    ]
    assert found[0].process == "sshd"


def test_ssh_audits_table_is_applied_to_what_sshd_offers() -> None:
    pytest.importorskip("ssh_audit")
    offered = {
        "kexalgorithms": ["mlkem768x25519-sha256,curve25519-sha256"],
        "ciphers": ["aes256-gcm@openssh.com,3des-cbc"],
        "macs": ["hmac-sha2-512-etm@openssh.com"],
        "hostkeyalgorithms": ["ssh-ed25519,ecdsa-sha2-nistp256"],
    }
    audited = outside.audit(offered, ["/etc/ssh/ssh_host_ed25519_key"])
    assert audited is not None
    assert audited["names"] == ["curve25519-sha256", "3des-cbc"] and audited["fail"] == 1


def test_a_refused_login_is_tried_again_only_where_the_firewall_limits(monkeypatch: pytest.MonkeyPatch) -> None:
    """ufw's limit refuses the seventh connection of half a minute: that is no lock-out."""
    waits: list[float] = []
    monkeypatch.setattr(time, "sleep", waits.append)
    answers = [{"ok": False, "how": "", "error": "refused"}, {"ok": True, "how": "", "error": ""}]
    limit = with_rules("ufw limit 22/tcp comment 'dlbox: ssh'")
    limit.evidence["listening"] = {"out": "tcp LISTEN 0 128 0.0.0.0:22 0.0.0.0:*"}
    assert outside.patient(iter(answers).__next__, limit, 22)["ok"]
    assert waits == [outside.LIMIT_SECONDS]
    open_rule = with_rules("ufw allow 22/tcp comment 'dlbox: ssh'")
    open_rule.evidence["listening"] = limit.evidence["listening"]
    assert not outside.patient(iter(answers).__next__, open_rule, 22)["ok"]
    limit.evidence["listening"] = {"out": ""}
    assert not outside.patient(iter(answers).__next__, limit, 22)["ok"]
    assert len(waits) == 1


def test_open_ports_are_found_and_closed_ones_too() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        found = outside.scan("127.0.0.1", [port, 9])
    assert found["open"] == [port] and found["closed"] == [9]
    answer = outside.banner("127.0.0.1", 9)
    assert not answer["ok"] and "refused" in answer["error"]


GOOD = {"module": "torch", "python": "/p", "visible": None, "import_error": "", "version": "2.9", "built_for": "cpu",
        "gpus": [], "compute": {"device": "cpu", "error": ""}, "cudnn": None}  # fmt: skip


@pytest.mark.parametrize(
    "text",
    [
        "{}",
        json.dumps({**GOOD, "gpus": "GPU"}),
        json.dumps({**GOOD, "compute": {}}),
        json.dumps({**GOOD, "compute": None, "cudnn": {"error": 1}}),
        json.dumps({"import_error": {"a": 1}}),
        json.dumps({"import_error": "x", "module": ["torch"]}),
        '{"a":' + "[" * 60000 + "]" * 60000 + "}",
    ],
)
def test_what_an_environment_prints_instead_of_the_tests_answer_is_its_own_failure(text: str) -> None:
    """Observed: one member's environment that printed {} ended the checks of all environments."""
    found = environments.smoke_answer({"rc": 0, "out": f"{text}\n", "err": ""})
    assert isinstance(found["import_error"], str) and found["import_error"] and set(found) == {"import_error"}


def test_the_answers_of_the_smoke_test_are_taken_as_they_are() -> None:
    plain = {"module": "sys", "python": "/p", "visible": None, "import_error": "", "version": ""}
    failed = {"module": "jax", "python": "/p", "visible": None, "import_error": "ModuleNotFoundError: jax"}
    for answer in (GOOD, plain, failed, {"import_error": "the kernel did not answer"}):
        assert environments.smoke_answer({"rc": 0, "out": f"noise\n{json.dumps(answer)}\n", "err": ""}) == answer
