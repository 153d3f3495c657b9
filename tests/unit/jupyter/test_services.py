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

import jupyter_servers
import jupyter_services
import pytest
from jupyter_services import Service

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


def test_a_server_that_does_not_answer_is_told() -> None:
    assert jupyter_services.answers(1, tls=False, timeout=1, process=os.getpid)


def test_an_answer_of_another_process_is_none() -> None:
    """Observed: whoever listened where the server should was taken for it, and an endless answer held the run."""
    with socket.create_server(("127.0.0.1", 0)) as squatter:
        port = squatter.getsockname()[1]
        assert jupyter_services.stranger(port, os.getpid()) == ""
        assert "listens there, which is not the server" in jupyter_services.stranger(port, 0)
        assert "listens there" in jupyter_services.answers(port, tls=False, timeout=1, process=lambda: os.getppid())


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
        assert jupyter_services.answers(server.getsockname()[1], tls=False, timeout=30, process=os.getpid) == ""


@pytest.mark.parametrize(
    ("tls", "ssh_port", "expected"),
    [
        (False, 22, "ssh -N -L 8889:127.0.0.1:8889 ada@box   then http://localhost:8889/"),
        (False, 2222, "ssh -N -p 2222 -L 8889:127.0.0.1:8889 ada@box   then http://localhost:8889/"),
        (True, 22, "https://box:8889/"),
    ],
)
def test_the_way_in_is_ready_to_paste(tls: bool, ssh_port: int, expected: str) -> None:
    told = jupyter_servers.way("ada", 8889, "/home/ada/.config/dlbox/jupyter-password", tls, "box", ssh_port)
    assert told.startswith(f"JupyterLab of ada: {expected} (its password is in /home/ada/")
    assert "password you gave" in jupyter_servers.way("ada", 8889, None, tls, "box", ssh_port)


def test_the_unit_is_written_kept_and_removed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With a stand-in for systemctl: what it is told, and what lies on the disk."""
    from .module import run

    monkeypatch.setattr(jupyter_services, "UNITS", tmp_path)
    orders: list[str] = []
    monkeypatch.setattr(jupyter_services.Systemd, "order", lambda self, *words: orders.append(" ".join(words)))
    monkeypatch.setattr(jupyter_services.Systemd, "others", lambda self, users: [])
    file = tmp_path / "jupyterlab@.service"
    wish = {"ports": {}, "text": "[Service]\n"}
    assert run("jupyter_services", wish, check=True)["changed"] and not file.exists()
    assert run("jupyter_services", wish)["changed"] and file.read_text() == "[Service]\n"
    assert not run("jupyter_services", wish)["changed"] and not run("jupyter_services", {"ports": {}})["changed"]
    assert run("jupyter_services", {**wish, "text": "[Unit]\n"})["diff"][0]["before"] == "[Service]\n"
    assert len(list(tmp_path.glob("*~"))) == 1, "the one that was there is kept"
    assert run("jupyter_services", {**wish, "text": ""})["changed"] and not file.exists()
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
    told = jupyter_servers.led_astray([{"path": str(shared / "models"), "owner": "nobody"}])
    assert len(told) == 1 and f"{shared} can be written by others" in told[0]
    assert jupyter_servers.led_astray([{"path": str(shared / "new")}])
    assert not jupyter_servers.led_astray([{"path": str(shared), "group": "users", "mode": "2775"}])
    # Neither of them is there yet: the outer one would be the group's before the inner one is made.
    nested = [{"path": str(tmp_path / "a"), "mode": "2775"}, {"path": str(tmp_path / "a/b")}]
    assert "will be writable" in jupyter_servers.led_astray(nested)[0]
