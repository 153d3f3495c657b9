"""The story of one machine, in the order of the tests: the attackers are there before dlbox is.

Nothing of theirs runs with other rights than theirs or a fresh account's, no link of theirs is followed, nothing
waits for them, and what they answer ends no command for the others.
"""

from __future__ import annotations

import json
import os
import subprocess
import time
from pathlib import Path

import pytest
from conftest import PROJECT, Box, keys


def told(done: subprocess.CompletedProcess[str]) -> str:
    """All that a command printed."""
    return done.stdout + done.stderr


def test_the_plants_work_where_they_are_meant_to(box: Box) -> None:
    """Otherwise nothing that follows would prove anything."""
    host = box.host
    for who in ("mallory", "eve"):
        box.plant(who, "home")
        for command in ("/usr/bin/python3 -c 'import base64'", "/usr/bin/python3 -S -c 'import json'", "git --version"):
            host.run("runuser -l -s /bin/sh -c %s %s", f"cd /home/{who}; {command}", who)
    host.run("cd /tmp && HOME=/tmp runuser -u nobody -- /usr/bin/python3 -c 'import base64'")
    uids = {name: host.user(name).uid for name in ("mallory", "eve")}
    assert (
        set(uids.items()) | {("eve", 65534)} <= box.ran_as() or set(uids.items()) | {("mallory", 65534)} <= box.ran_as()
    )
    places = {line.split()[2] for line in box.log()}
    assert any("usercustomize" in place for place in places) and any("base64" in place for place in places), places


def test_a_first_run_over_everything_planted(box: Box) -> None:
    """With the launcher's strategy, while homes are links to /etc for half of the time and the log is full of lies."""
    swapping = box.start("mallory", "swap", ".ssh", ".jupyter", ".local", ".config")
    posing = [box.start("mallory", "pose", "sshd"), box.start("eve", "pose", "mosh-server")]
    box.host.check_output(
        "systemd-run --quiet --collect --uid=mallory --unit=suite-lies sh -c 'while sleep 1; do"
        ' logger -t sshd "Accepted publickey for ada from 192.0.2.1 port 1 ssh2";'
        ' logger -t sshd "Failed password for root from %s port 1 ssh2"; done\'',
        box.address.rpartition(".")[0] + ".1",
    )
    before, began = box.logins(), time.time()
    done = box.play("site.yml", mitogen=True)
    box.stop(swapping, *posing, "suite-lies")
    assert done.returncode == 0, told(done)
    page = box.tool("report", "--output", str(box.folder), "--since", str(began))
    assert page.returncode == 0 and (box.folder / "data/box.json").exists(), told(page)
    opened = box.logins()[len(before) :]
    # The guard confirms over new ones, and mitogen opens one for another interpreter, that of the environments' engine.
    assert len(opened) <= 4, (
        f"the run's connection, one for the window, one for the proof, one for the engine: {opened}"
    )
    box.safe()


def test_a_second_run_changes_nothing_whatever_lies_in_the_shared_folders(box: Box) -> None:
    """With Ansible's own strategy."""
    box.plant("mallory", "shared")
    before, logins = box.state(), box.logins()
    swapping = box.start("mallory", "swap", ".ssh", ".jupyter", ".local", ".config")
    done = box.play("site.yml")
    box.stop(swapping)
    assert done.returncode == 0 and "changed=0" in done.stdout, told(done)
    assert len(box.logins()) - len(logins) == 1, "one connection for the whole run"
    assert box.state() == before
    box.safe()


def test_a_data_folder_in_the_place_of_a_link_is_not_followed(box: Box) -> None:
    """A member of the group put a link to a folder of root's where the owner declares a second data folder later."""
    folders = [*box.variables["jupyter_data_folders"], {"path": "/srv/data/models", "group": "users", "mode": "2775"}]
    assert box.host.file("/srv/data/models").is_symlink
    done = box.play("site.yml", "--tags", "environments", jupyter_data_folders=folders)
    assert done.returncode != 0 and "links names the folder /srv/data/models" in told(done), told(done)
    box.safe()


@pytest.mark.parametrize(
    "words", [("doctor", "--format", "json"), ("bench", "--quick", "--mnist", ""), ("report",), ("plan",)]
)
def test_a_command_over_it(box: Box, words: tuple[str, ...]) -> None:
    """It ends, with an answer for everything that is not the attackers'."""
    before, logins = box.state(), box.logins()
    page = [] if words[0] == "plan" else ["--output", str(box.folder)]
    done = box.tool(*words, *page)
    assert "Traceback" not in told(done) and done.returncode in (0, 1), told(done)
    opened = box.logins()[len(logins) :]
    assert len(opened) <= 1 + (words[0] == "doctor"), f"one connection; the doctor also tries a new login: {opened}"
    assert box.state() == before
    box.safe()
    if words[0] == "doctor":
        report = json.loads(done.stdout)
        unknown = [
            entry for entry in report["checks"] if "could not" in entry["observed"] or "Error" in entry["observed"]
        ]
        assert not unknown, unknown
        results = {entry["name"]: entry["result"] for entry in report["checks"]}
        assert results["environments.imports[tools]"] == "ok", results


def test_a_lock_is_made_without_anything_of_theirs(box: Box) -> None:
    """Facts of the machine decide it, and the packages come from the owner's sources."""
    before, logins = box.state(), box.logins()
    channel = (PROJECT / ".cache/conda-channel").as_uri()
    channels = [channel if os.environ.get("DLBOX_CONDA_PYTHON") else "conda-forge"]
    done = box.tool("lock", "tools", conda_channels=channels)
    assert done.returncode == 0 and len(box.logins()) - len(logins) <= 1, told(done)
    locked = {path.name: path.read_text() for path in (box.folder / "locks/tools").iterdir()}
    assert "six==1.17.0" in locked["wheels.txt"], locked
    assert not [text for text in locked.values() if "mallory" in text or "/tmp/" in text or "/home/" in text]
    assert box.state() == before
    box.safe()


def test_the_environments_of_a_member_are_neither_adopted_nor_removed(box: Box) -> None:
    """Names that the owner declares later, one of them as absent, with pipes for files."""
    more = [{"name": "later", "wheels": ["six==1.17.0"]}, {"name": "gone", "state": "absent"}]
    more += [{"name": "waits", "state": "absent"}, {"name": "etc"}]
    more = [*box.variables["conda_environments"], *more]
    done = box.play("site.yml", "--tags", "environments", conda_environments=more)
    assert done.returncode != 0 and "/opt/conda/envs/later was not made by dlbox" in told(done), told(done)
    assert box.host.file("/opt/conda/envs/gone").user == "mallory"
    box.safe()


def test_a_server_of_another_account_is_not_taken_for_a_jupyterlab(box: Box) -> None:
    """Who typed a password there would give it to mallory; and an answer that never ends must keep nobody waiting."""
    box.host.check_output("systemctl stop jupyterlab-proxy@eve.socket jupyterlab-proxy@eve.service")
    squatting = box.start("mallory", "squat", "8889")
    done = box.play("site.yml", "--tags", "environments", jupyter_data_folders=[])
    doctor = box.tool("doctor", "--only", "jupyter", "--format", "json", "--no-page")
    box.stop(squatting)
    assert done.returncode != 0 and "mallory" in told(done), told(done)
    results = {entry["name"]: entry["result"] for entry in json.loads(doctor.stdout)["checks"]}
    assert "fail" in results.values(), results
    assert "a process of mallory listens there" in doctor.stdout
    box.safe()


def test_what_an_account_breaks_of_its_own_jupyterlab_is_told_and_stops_nobody(box: Box) -> None:
    """A pipe in the place of eve's password, and a configuration that no program reads; ada's server goes on."""
    file = "/home/eve/.config/dlbox/jupyter-password"
    box.host.check_output(f"runuser -u eve -- sh -c 'mkdir -p {Path(file).parent}; rm -f {file}; mkfifo {file}'")
    place = "/etc/jupyterlab/eve/jupyter_server_config.json"
    deep = f"import os; os.chmod('{place}', 0o600); open('{place}', 'w').write('[' * 200000)"
    box.host.check_output(f'cd / && runuser -u eve -- python3 -c "{deep}"')
    done = box.play("site.yml", "--tags", "environments")
    box.host.check_output(f"rm {file}")
    assert done.returncode == 0 and f"{file} cannot be read as eve" in told(done), told(done)
    assert box.host.service("jupyterlab@ada").is_running
    box.safe()


def test_a_rollback_over_homes_that_change_all_the_time(box: Box) -> None:
    """A new key for eve, who is an admin, and an sshd that lets nobody in: all of it is undone."""
    before = box.state("/etc /root /home/ada /srv/treasure")
    swapping = [box.start("eve", "swap", ".jupyter", ".local"), box.start("mallory", "swap", ".ssh", ".config")]
    swapping += [box.start("mallory", "pose", "sshd-session"), box.start("eve", "pose", "mosh-server")]
    swapping += [box.start("mallory", "hold", "/run/ufw.lock", "/run/xtables.lock", "/etc/ufw/user.rules")]
    admins = [box.variables["dlbox_admins"][0], {"name": "eve", "keys": [str(keys() / "ada.pub")]}]
    guarded = {"access_guard_roles": ["dlbox.workstation.admins", "foreign_role"], "foreign_role_does": "deny_users"}
    more = {**guarded, "access_guard_window": 60, "access_guard_confirm_timeout": 10, "dlbox_admins": admins}
    done = box.play(str(PROJECT / "molecule/access/case.yml"), **more)
    box.stop(*swapping)
    assert done.returncode != 0 and "undone" in told(done), told(done)
    after = box.state("/etc /root /home/ada /srv/treasure")
    assert {path for path in before.keys() | after.keys() if before.get(path) != after.get(path)} == set()
    assert box.run("ansible", "-i", str(box.inventory()), "box", "-m", "ping").returncode == 0
    box.safe()


def test_keys_of_an_admin_that_come_and_go(box: Box) -> None:
    """eve's .ssh is a link for half of the time: the run may end without her key, but it ends, and nothing leaks."""
    before = box.state("/etc /root /home/ada /srv/treasure")
    swapping = box.start("eve", "swap", ".ssh", ".jupyter", ".local")
    admins = [box.variables["dlbox_admins"][0], {"name": "eve", "keys": [str(keys() / "ada.pub")]}]
    done = box.play("site.yml", "--tags", "secure", dlbox_admins=admins)
    box.stop(swapping)
    assert "Traceback" not in told(done) and "$y$" not in told(done), told(done)
    after = box.state("/etc /root /home/ada /srv/treasure")
    changed = {path for path in before.keys() | after.keys() if before.get(path) != after.get(path)}
    guard = box.host.run("cat /var/lib/dlbox/access_guard/log; journalctl --no-pager -o cat -u 'dlbox-guard*'").stdout
    assert not changed, f"{sorted(changed)}\n{told(done)}\n{guard}"
    box.safe()
