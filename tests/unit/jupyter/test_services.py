"""When a server is started, restarted or left alone, and how people are told to reach it."""

from __future__ import annotations

import contextlib
import os
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any, ClassVar

import pytest
from ansible_collections.dlbox.workstation.plugins.module_utils.jupyter import ports, server_report, server_request
from ansible_collections.dlbox.workstation.plugins.modules import jupyter_services
from ansible_collections.dlbox.workstation.plugins.modules.jupyter_services import Service

RUNNING = Service(loaded=True, active=True, enabled=True, stale_unit=False, pid=10, started=100.0)


@pytest.mark.parametrize(
    ("state", "changed", "restart", "busy", "need"),
    [
        (RUNNING, 50, "idle", False, ""),
        (RUNNING, 50, "always", True, ""),
        (RUNNING, 150, "idle", False, "restart"),
        (RUNNING, 150, "idle", True, "wait"),
        (RUNNING, 150, "always", True, "restart"),
        (RUNNING, 150, "never", False, "wait"),
        (RUNNING._replace(stale_unit=True), 50, "idle", False, "restart"),
        (RUNNING._replace(active=False), 150, "never", False, "start"),
    ],
)
def test_a_server_is_never_restarted_under_a_notebook(
    state: Service, changed: float, restart: str, busy: bool, need: str
) -> None:
    assert jupyter_services.due(state, changed, restart, busy) == need


def test_what_systemd_says() -> None:
    text = "LoadState=loaded\nActiveState=active\nUnitFileState=enabled\nNeedDaemonReload=no\nMainPID=7\n"
    text += "ExecMainStartTimestampMonotonic=5000000\n"
    assert jupyter_services.parse(text, 1000.0) == Service(True, True, True, False, 7, 1005.0)
    missing = jupyter_services.parse("LoadState=not-found\nActiveState=inactive\nMainPID=0\n", 1000.0)
    assert missing == Service(False, False, False, False, 0, 0.0)


def test_changes_are_seen_in_files_and_by_pattern(tmp_path: Path) -> None:
    begin = time.time() - 1
    assert jupyter_services.newest([str(tmp_path / "nothing*")]) == 0.0
    (tmp_path / "python3.13").mkdir()
    old = tmp_path / "python3.13" / "file"
    old.write_text("")
    os.utime(old, (1, 1))
    # A file put there by a rename has an old mtime; its status change is now.
    assert jupyter_services.newest([str(tmp_path / "python3.*" / "file")]) >= begin


def test_a_running_child_makes_a_server_busy() -> None:
    with subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"]) as child:
        assert any("time.sleep" in line for line in jupyter_services.children(os.getpid()))
        child.kill()


def test_a_server_that_runs_is_waited_for_up_to_a_limit() -> None:
    assert "process runs" in jupyter_services.answers(1, tls=False, end=time.monotonic() + 0.6, ended=lambda: "")


def test_a_slow_server_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """Observed: on a slow machine the first answer came after a minute, and the run had failed."""
    now = [0.0]
    monkeypatch.setattr(jupyter_services.time, "monotonic", lambda: now[0])
    monkeypatch.setattr(jupyter_services.time, "sleep", lambda seconds: now.__setitem__(0, now[0] + seconds))
    answer = {"status": None, "error": "refused"}
    monkeypatch.setattr(jupyter_services, "http_status", lambda *_: answer | ({"status": 200} if now[0] > 150 else {}))
    assert jupyter_services.answers(1, tls=False, end=600, ended=lambda: "") == "" and now[0] > 150


@pytest.mark.parametrize(
    ("shown", "expected"),
    [
        (["activating success 0", "failed exit-code 0"], "it is failed (exit-code)"),
        (["active success 0", "inactive success 0"], "it is inactive (success)"),
        (["active success 4", "activating exit-code 5", "activating exit-code 6"], "it has ended 2 times"),
    ],
)
def test_a_server_whose_process_ended_is_not_waited_for(
    monkeypatch: pytest.MonkeyPatch, shown: list[str], expected: str
) -> None:
    def run_command(*_: Any) -> tuple[int, str, str]:
        state, result, restarts = (shown.pop(0) if len(shown) > 1 else shown[0]).split()
        return 0, f"ActiveState={state}\nResult={result}\nNRestarts={restarts}\n", ""

    systemd = jupyter_services.Systemd(SimpleNamespace(run_command=run_command), "jupyterlab")
    monkeypatch.setattr(jupyter_services.time, "sleep", lambda _: None)
    why = jupyter_services.answers(1, tls=False, end=float("inf"), ended=systemd.ended("ada"))
    assert why.startswith(expected)


@pytest.mark.parametrize(
    ("local", "uid", "expected"),
    [
        ("0100007F:22B8", 65534, ["nobody"]),
        ("00000000:22B8", 4242, ["4242"]),
        ("00000000000000000000000001000000:22B8", 65534, ["nobody"]),
        ("0100007F:22B8", 0, []),  # systemd's own
        ("0100007F:22B9", 65534, []),
        ("0200007F:22B8", 65534, []),
    ],
)
def test_who_holds_a_port_is_named(tmp_path: Path, local: str, uid: int, expected: list[str]) -> None:
    (tmp_path / "net").mkdir()
    peer = "0" * len(local.partition(":")[0])
    line = f"   0: {local} {peer}:0000 0A 00000000:00000000 00:00000000 00000000 {uid} 0 7 1\n"
    (tmp_path / "net" / ("tcp6" if len(peer) > 8 else "tcp")).write_text("header\n" + line)
    assert ports.holders(8888, tmp_path) == expected


def test_a_port_is_reserved_for_the_sockets_of_its_account_that_share_it() -> None:
    def bound(reuse: int) -> bool:
        with socket.socket() as one:
            if reuse:
                one.setsockopt(socket.SOL_SOCKET, reuse, 1)
            with contextlib.suppress(OSError):
                one.bind(("127.0.0.1", port))
                one.listen()
                return True
        return False

    def bound_by_nobody(reuse: int) -> bool:
        pid = os.fork()
        if pid == 0:
            with contextlib.suppress(OSError):
                os.setuid(65534)
                os._exit(int(bound(reuse)))
            os._exit(2)
        return bool(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))

    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        with ports.reserved([port]):
            pass  # somebody else's stays his
    with ports.reserved([port]):
        assert bound(socket.SO_REUSEPORT) and not bound(0) and not bound(socket.SO_REUSEADDR)
        if os.geteuid() == 0:
            assert not bound_by_nobody(socket.SO_REUSEPORT) and not bound_by_nobody(socket.SO_REUSEADDR)
        with contextlib.suppress(ConnectionRefusedError):
            socket.create_connection(("127.0.0.1", port), timeout=5).close()
            raise AssertionError("nobody reaches who only keeps a port")
    assert bound(0)


def test_an_answer_without_end_holds_nobody() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:

        def drip() -> None:
            link = server.accept()[0]
            with contextlib.suppress(OSError), link:
                link.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
                while True:
                    link.sendall(b" ")
                    time.sleep(0.1)

        threading.Thread(target=drip, daemon=True).start()
        answer = jupyter_services.answers(server.getsockname()[1], False, time.monotonic() + 30, lambda: "")
        assert answer == ""


@pytest.mark.parametrize(
    ("tls", "ssh_port", "expected"),
    [
        (False, 22, "ssh -N -L 8889:127.0.0.1:8889 ada@box   then http://localhost:8889/"),
        (False, 2222, "ssh -N -p 2222 -L 8889:127.0.0.1:8889 ada@box   then http://localhost:8889/"),
        (True, 22, "https://box:8889/"),
    ],
)
def test_the_way_in_is_ready_to_paste(tls: bool, ssh_port: int, expected: str) -> None:
    told = server_report.access_hint("ada", 8889, "/home/ada/.config/dlbox/jupyter-password", tls, "box", ssh_port)
    assert told.startswith(f"JupyterLab of ada: {expected} (its password is in /home/ada/")
    assert "password you gave" in server_report.access_hint("ada", 8889, None, tls, "box", ssh_port)


def test_the_unit_is_written_kept_and_removed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With a stand-in for systemctl: what it is told, and what lies on the disk."""
    from .module import run

    monkeypatch.setattr(jupyter_services, "UNITS", tmp_path)
    orders: list[str] = []
    monkeypatch.setattr(jupyter_services.Systemd, "order", lambda self, *words: orders.append(" ".join(words)))
    monkeypatch.setattr(jupyter_services.Systemd, "others", lambda self, users: [])
    file = tmp_path / "jupyterlab@.service"
    arguments = {"ports": {}, "text": "[Service]\n"}
    assert run("jupyter_services", arguments, check=True)["changed"] and not file.exists()
    assert run("jupyter_services", arguments)["changed"] and file.read_text() == "[Service]\n"
    assert not run("jupyter_services", arguments)["changed"] and not run("jupyter_services", {"ports": {}})["changed"]
    assert run("jupyter_services", {**arguments, "text": "[Unit]\n"})["diff"][0]["before"] == "[Service]\n"
    assert len(list(tmp_path.glob("*~"))) == 1, "the one that was there is kept"
    assert run("jupyter_services", {**arguments, "text": ""})["changed"] and not file.exists()
    assert orders == ["daemon-reload"]


@pytest.mark.skipif(os.geteuid() != 0, reason="asks what others than root can write")
def test_a_data_folder_at_a_place_that_others_hold_is_refused(tmp_path: Path) -> None:
    """Observed: root gave a link's target away, where a member of the group had put the link."""
    tmp_path.chmod(0o755)
    shared = tmp_path / "shared"
    shared.mkdir()
    os.chown(shared, 0, 65534)
    shared.chmod(0o2775)
    (tmp_path / "secret").mkdir()
    (shared / "models").symlink_to(tmp_path / "secret")
    told = server_request.unsafe_folders([{"path": str(shared / "models"), "owner": "nobody"}])
    assert len(told) == 1 and f"{shared} can be written by others" in told[0]
    assert server_request.unsafe_folders([{"path": str(shared / "new")}])
    assert not server_request.unsafe_folders([{"path": str(shared), "group": "users", "mode": "2775"}])
    # Neither of them is there yet: the outer one would be the group's before the inner one is made.
    nested = [{"path": str(tmp_path / "a"), "mode": "2775"}, {"path": str(tmp_path / "a/b")}]
    assert "will be writable" in server_request.unsafe_folders(nested)[0]


SOCKET = "[Socket]\nListenStream=127.0.0.1:PORT\nListenStream=[::1]:PORT\n"


@pytest.fixture
def systemd(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """A stand-in for systemd that remembers what it is told; its units run or not as a test says."""

    class Systemd:
        units = tmp_path
        orders: ClassVar[list[str]] = []
        running: ClassVar[set[str]] = set()
        busy = False

        def run(self, **arguments: Any) -> dict[str, Any]:
            from .module import run

            self.orders.clear()
            return run("jupyter_services", {"unit": "jupyterlab-proxy", "socket": SOCKET, **arguments})

    now = Systemd()
    later = time.time() + 3600

    def show(self: Any, name: str) -> Service:
        return Service(True, name in now.running, name in now.running, False, 10, later)

    def order(self: Any, *words: str) -> None:
        now.orders.append(" ".join(words))
        if words[0] in ("enable", "start"):
            now.running.add(words[-1])

    monkeypatch.setattr(jupyter_services, "UNITS", tmp_path)
    monkeypatch.setattr(jupyter_services, "children", lambda pid: ["a kernel"] if now.busy else [])
    monkeypatch.setattr(jupyter_services, "IPV6", tmp_path)
    monkeypatch.setattr(jupyter_services.Systemd, "order", order)
    monkeypatch.setattr(jupyter_services.Systemd, "show", show)
    monkeypatch.setattr(jupyter_services.Systemd, "others", lambda self, users: [])
    monkeypatch.setattr(jupyter_services.AnsibleModule, "run_command", lambda self, words: (0, "", ""))
    now.orders.clear()
    now.running.clear()
    return now


def test_systemd_holds_the_port_and_a_second_run_leaves_it(systemd: Any) -> None:
    told = systemd.run(ports={"ada": 65001})
    unit = systemd.units / "jupyterlab-proxy@ada.socket"
    assert told["changed"] and unit.read_text().count(":65001\n") == 2
    assert "enable --now jupyterlab-proxy@ada.socket" in systemd.orders
    assert systemd.orders[-1] == "start jupyterlab-proxy@ada.service"
    assert not systemd.run(ports={"ada": 65001})["changed"] and systemd.orders == []


def test_without_ipv6_there_is_no_address_to_hold(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(jupyter_services, "IPV6", tmp_path / "no")
    assert jupyter_services.socket_text(SOCKET, 8888) == "[Socket]\nListenStream=127.0.0.1:8888\n"


def test_a_port_does_not_move_under_a_notebook(systemd: Any) -> None:
    """Not even its unit is written: the next daemon-reload would close the port that is in use."""
    systemd.run(ports={"ada": 65001})
    systemd.busy = True
    told = systemd.run(ports={"ada": 65002})
    assert told["waiting"] == ["ada"] and not told["changed"] and systemd.orders == []
    assert ":65001\n" in (systemd.units / "jupyterlab-proxy@ada.socket").read_text()
    assert systemd.run(ports={"ada": 65002}, restart="always")["changed"]


def test_a_port_that_an_account_holds_is_refused_by_its_name(systemd: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jupyter_services.ports, "holders", lambda port: ["mallory"])
    told = systemd.run(ports={"ada": 65001})
    assert told["failed"] and "port 65001, of the JupyterLab of ada, is held by a process of mallory" in told["msg"]
    assert systemd.orders == ["daemon-reload"]


def test_one_silent_server_is_told_and_all_silent_ones_end_the_run(
    systemd: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(jupyter_services, "answers", lambda port, *_: "" if port == 65001 else "nothing")
    told = systemd.run(ports={"ada": 65001, "eve": 65002}, answer=True)
    assert not told["failed"] and "jupyterlab-proxy@eve.service does not answer" in told["todo"][0]
    assert systemd.run(ports={"eve": 65002}, answer=True)["failed"]
