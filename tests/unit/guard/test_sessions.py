"""Live ssh connections from a /proc like that of a host with OpenSSH before and since 9.8."""

from __future__ import annotations

import os
import socket
import struct
import subprocess
from pathlib import Path

import pytest
from ansible_collections.dlbox.workstation.plugins.module_utils.guard import sessions
from hypothesis import given
from hypothesis import strategies as st


def endpoint(address: str, port: int) -> str:
    """As /proc/net/tcp writes it."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    raw = socket.inet_pton(family, address)
    return "".join(f"{word:08X}" for word in struct.unpack(f"={len(raw) // 4}I", raw)) + f":{port:04X}"


class Host:
    """A /proc that is filled by hand."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.inode = 100
        self.tcp = {"tcp": ["sl"], "tcp6": ["sl"]}
        self.process(1, 0, "systemd", "/sbin/init")

    def process(self, pid: int, parent: int, name: str, title: str, uid: int = 0, start: int = 0) -> None:
        folder = self.root / str(pid)
        (folder / "fd").mkdir(parents=True)
        (folder / "stat").write_text(f"{pid} ({name}) S {parent} " + "0 " * 17 + f"{start} 0 0\n")
        (folder / "status").write_text(f"Name:\t{name}\nUid:\t{uid}\t{uid}\t{uid}\t{uid}\n")
        (folder / "cmdline").write_bytes(title.encode() + b"\0\0\0")
        self.runs(pid, name)

    def runs(self, pid: int, name: str, *, mode: int = 0o755, deleted: bool = False) -> None:
        """The process runs a program of this name, in a folder with this mode."""
        program = self.root / f"bin{mode:o}" / (name + " (deleted)" * deleted)
        program.parent.mkdir(exist_ok=True)
        program.parent.chmod(mode)
        program.touch(mode=0o755)
        (self.root / str(pid) / "exe").unlink(missing_ok=True)
        (self.root / str(pid) / "exe").symlink_to(program)

    def socket(self, local: tuple[str, int], remote: tuple[str, int], state: str = "01") -> int:
        self.inode += 1
        kind = "tcp6" if ":" in local[0] else "tcp"
        self.tcp[kind].append(f"1: {endpoint(*local)} {endpoint(*remote)} {state} 0:0 0:0 0 0 0 {self.inode} 1")
        return self.inode

    def holds(self, pid: int, *inodes: int) -> None:
        for number, inode in enumerate(inodes, 3):
            (self.root / str(pid) / "fd" / str(number)).symlink_to(f"socket:[{inode}]")

    def read(self) -> list[sessions.SshConnection]:
        for process in (entry for entry in self.root.iterdir() if not entry.name.startswith("bin")):
            (process / "net").mkdir(exist_ok=True)
            for name, lines in self.tcp.items():
                (process / "net" / name).write_text("\n".join(lines) + "\n")
        return sessions.live_ssh_connections(self.root)


@pytest.fixture
def host(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Host:
    # The test's folders lie below /tmp and belong to whoever runs it.
    monkeypatch.setattr(
        sessions, "_is_roots", lambda status: bool(status.st_mode & 0o1000 or not status.st_mode & 0o022)
    )
    made = Host(tmp_path)
    made.process(10, 1, "sshd", "sshd: /usr/sbin/sshd -D [listener] 1 of 10-100 startups")
    made.holds(10, made.socket(("0.0.0.0", 22), ("0.0.0.0", 0), sessions.LISTEN))
    return made


@pytest.mark.parametrize("name", sessions.SESSION_NAMES)
def test_a_login_is_a_connection_with_its_account_and_addresses(host: Host, name: str) -> None:
    one = host.socket(("::ffff:192.0.2.5", 22), ("::ffff:198.51.100.7", 50000))
    host.process(20, 10, name, f"{name}: ada [priv]", start=500)
    host.process(21, 20, name, f"{name}: ada@pts/0", uid=1000, start=510)
    host.holds(20, one)
    host.holds(21, one, host.socket(("127.0.0.1", 40000), ("127.0.0.1", 8888)))
    host.process(22, 21, "bash", "-bash", uid=1000, start=520)
    expected = sessions.SshConnection("192.0.2.5", 22, "198.51.100.7", 50000, 20, "ada", 500)
    assert host.read() == [expected]
    assert sessions.connection_around(22, [expected], host.root) == expected
    assert sessions.connection_around(10, [expected], host.root) is None


@pytest.mark.parametrize(
    ("name", "monitor", "child"),
    [
        ("sshd", "sshd: [accepted]", "sshd: [net]"),
        ("sshd", "sshd: ada [priv]", "sshd: ada [net]"),
        ("sshd-session", "sshd-session: root [priv]", "sshd-auth: root [net]"),
        ("sshd-session", "sshd-session: [accepted]", "sshd-session: [net]"),
    ],
)
def test_a_name_that_a_client_only_claims_is_no_login(host: Host, name: str, monitor: str, child: str) -> None:
    host.process(20, 10, name, monitor)
    host.process(21, 20, child.split(":")[0], child, uid=101)
    host.holds(20, host.socket(("192.0.2.5", 22), ("198.51.100.7", 50000)))
    assert [connection.account for connection in host.read()] == [None]


@pytest.mark.parametrize(
    ("monitor", "child"), [("sshd: root@notty", None), ("sshd-session: root [priv]", "sshd-session: root@pts/0,pts/1")]
)
def test_roots_process_also_holds_what_it_forwards(host: Host, monitor: str, child: str | None) -> None:
    name = monitor.partition(":")[0]
    host.process(20, 10, name, monitor)
    if child:
        host.process(21, 20, name, child)
    forwarded = host.socket(("192.0.2.5", 40001), ("203.0.113.9", 443))
    host.holds(20, forwarded, host.socket(("192.0.2.5", 22), ("198.51.100.7", 50000)))
    assert [(c.account, c.remote_address) for c in host.read()] == [("root", "198.51.100.7")]


def test_somebodys_own_process_of_that_name_is_no_sshd(host: Host) -> None:
    host.process(30, 1, "sshd-session", "sshd-session: root@pts/0", uid=1000)
    host.holds(30, host.socket(("192.0.2.5", 22), ("198.51.100.7", 50000)))
    assert host.read() == []


@pytest.mark.parametrize("title", ["sshd-session: ada", "sshd: ada@pts/0"])
def test_a_process_of_root_that_took_the_name_is_no_sshd(host: Host, title: str) -> None:
    """`ln -s /usr/bin/sudo sshd; exec -a 'sshd: ada' ./sshd ... <&socket`: root's process, called as eve likes."""
    host.process(30, 1, "sshd", title)
    host.holds(30, host.socket(("192.0.2.5", 22), ("198.51.100.7", 50000)))
    assert len(host.read()) == 1
    host.runs(30, "sudo")
    assert host.read() == []
    host.runs(30, "sshd", mode=0o777)
    assert host.read() == [], "a program where others than root can put one"


def test_a_session_outlives_an_upgrade_of_its_program(host: Host) -> None:
    host.process(30, 10, "sshd-session", "sshd-session: root@notty")
    host.holds(30, host.socket(("192.0.2.5", 22), ("198.51.100.7", 50000)))
    host.runs(30, "sshd-session", deleted=True)
    assert [connection.account for connection in host.read()] == ["root"]


@pytest.mark.skipif(os.geteuid() != 0, reason="others than root may not see what a process runs")
def test_what_a_process_really_runs(tmp_path: Path) -> None:
    program = Path("/bin/sleep").resolve()
    link, copy = tmp_path / "sshd", tmp_path / program.name
    link.symlink_to(program)
    copy.write_bytes(program.read_bytes())
    copy.chmod(0o755)
    for path, expected in ((program, True), (link, True), (copy, False)):
        process = subprocess.Popen([path, "60"])
        try:
            assert sessions.runs_program(process.pid, [program.name]) is expected, path
            assert not sessions.runs_program(process.pid, ["sshd"]), path
        finally:
            process.kill()
            process.wait()


def test_an_sshd_in_a_container_is_another_host(host: Host) -> None:
    host.process(20, 10, "sshd", "sshd: ada@pts/0")
    host.holds(20, host.socket(("192.0.2.5", 22), ("198.51.100.7", 50000)))
    for pid, namespace in (("20", "net:[2]"), ("self", "net:[1]")):
        (host.root / pid / "ns").mkdir(parents=True)
        (host.root / pid / "ns" / "net").symlink_to(namespace)
    assert host.read() == []


def test_a_connection_that_ended_and_a_listener_are_none(host: Host) -> None:
    host.process(20, 10, "sshd", "sshd: ada [priv]")
    host.holds(20, host.socket(("192.0.2.5", 22), ("198.51.100.7", 50000), "06"))
    assert host.read() == []


TRIE = """Local:
  +-- 0.0.0.0/0 3 0 5
     |-- 127.0.0.1
        /32 host LOCAL
     |-- 192.0.2.5
        /32 host LOCAL
     |-- 192.0.2.255
        /32 link BROADCAST
"""


def test_the_hosts_own_addresses(tmp_path: Path) -> None:
    (tmp_path / "net").mkdir()
    (tmp_path / "net" / "fib_trie").write_text(TRIE)
    (tmp_path / "net" / "if_inet6").write_text("20010db8000000000000000000000005 02 40 00 80 eth0\n")
    own = sessions.host_addresses(tmp_path)
    assert own == {"127.0.0.1", "192.0.2.5", "2001:db8::5"}
    for local in ("127.9.9.9", "::1", "::ffff:192.0.2.5", "2001:DB8::5", "::ffff:127.0.0.1"):
        assert sessions.is_local_address(local, own)
    assert not sessions.is_local_address("192.0.2.255", own)
    assert not sessions.is_local_address("fe80::1%eth0", own)


def test_this_machine_can_be_read() -> None:
    assert sessions.processes()[1].parent == 0
    assert sessions.is_local_address("127.0.0.1", sessions.host_addresses())


@given(st.integers(0, 2**32 - 1), st.integers(0, 65535))
def test_addresses_come_back_as_the_kernel_wrote_them(number: int, port: int) -> None:
    address = socket.inet_ntoa(number.to_bytes(4, "big"))
    assert sessions._endpoint(endpoint(address, port)) == (address, port)
    assert sessions._endpoint(endpoint(f"::ffff:{address}", port)) == (address, port)
