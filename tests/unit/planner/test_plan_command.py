"""The command line: exit status, formats, inventories, and the Ansible module behind it."""

from __future__ import annotations

import contextlib
import importlib.util
import io
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

TOP = Path(__file__).resolve().parents[3]
PLAN = TOP / "scripts" / "plan.py"
MACHINE_PLAN = "dlbox.workstation.machine_plan"
SPEC = importlib.util.spec_from_file_location("dlbox_plan_command", PLAN)
assert SPEC is not None and SPEC.loader is not None
COMMAND = importlib.util.module_from_spec(SPEC)
SPEC.loader.exec_module(COMMAND)


def run(*arguments: str, code: int = 0) -> str:
    """Run the command line, hold its exit status, return what it printed (or complained, on failure)."""
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        try:
            status = COMMAND.main(arguments)
        except SystemExit as stop:
            status = stop.code
    assert status == code, (arguments, out.getvalue(), err.getvalue())
    return out.getvalue() or err.getvalue()


def run_any(*arguments: str) -> str:
    """Run the command line for a plan or a refusal, return its JSON."""
    out = io.StringIO()
    with contextlib.redirect_stdout(out):
        assert COMMAND.main([*arguments, "--format", "json"]) in (0, 2)
    return out.getvalue()


def test_a_plan_exits_0_and_json_has_the_documented_keys() -> None:
    plan = json.loads(run("--gpu", "GTX 1080 Ti", "--os", "ubuntu-24.04", "--format", "json"))
    text = (TOP / "docs/planner.md").read_text(encoding="utf-8")
    for tree, skip in ((plan, {"host", "policy", "pins"}), (plan["driver"], {"version"}), (plan["gpus"][0], set()),
                       (plan["cuda"], set()), (plan["cudnn"], set()), (plan["frameworks"]["jax"], set())):  # fmt: skip
        assert {key for key in set(tree) - skip if f"`{key}" not in text} == set()
    assert plan["ok"] is True and plan["driver"]["branch"] == "580"


@pytest.mark.parametrize("arguments", [
    ("--gpu", "GTX 960", "--gpu", "RTX 5090"), ("--gpu", "GTX 580"), ("--gpu", "1080ti", "--pin", "driver=595"),
    ("--gpu", "RTX 3090", "--os", "debian-12", "--secure-boot", "on", "--unattended"),
    ("--gpu", "RTX 4090", "--wsl", "--pin", "driver=580"),
])  # fmt: skip
def test_a_refusal_exits_2_and_says_what_would_work(arguments: tuple[str, ...]) -> None:
    text = run(*arguments, code=2)
    assert "No plan fits." in text and "What would work" in text
    assert json.loads(run(*arguments, "--format", "json", code=2))["ok"] is False


@pytest.mark.parametrize(("arguments", "message"), [
    (("--gpu", "foo"), "GPU 'foo' is not known"),
    (("--gpu", "Titan X"), "ambiguous"),
    (("--gpu", "RTX 3090", "--os", "arch"), "expected one of ubuntu-22.04"),
    (("--gpu", "RTX 3090", "--pin", "cuda"), "expected COMPONENT=VERSION"),
    (("--gpu", "RTX 3090", "--pin", "gpu=1"), "pin 'gpu' is not known"),
    (("--gpu", "RTX 3090", "--kernel", "new"), "facts.os.kernel is 'new', expected a kernel such as 6.8"),
    (("--gpu", "RTX 3090", "--policy", "fast"), "invalid choice"),
    (("--gpu", "RTX 3090", "--date", "soon"), "expected a date"),
    (("--gpu", "RTX 3090", "--local"), "give one"),
    (("--gpu", "RTX 3090", "--no-gpu"), "contradict"),
    (("--facts", "/nowhere.json"), "--facts /nowhere.json"),
    (("--colour",), "unrecognized arguments"),
])  # fmt: skip
def test_wrong_usage_exits_64(arguments: tuple[str, ...], message: str) -> None:
    assert message in run(*arguments, code=64)


def test_options_reach_the_plan() -> None:
    plan = json.loads(run("--gpu", "RTX 3090", "--gpu", "GTX 960", "--ignore-gpu", "GTX 960", "--headless", "--policy",
                          "newest", "--kernel", "7.0", "--ram", "16", "--psu", "400", "--price", "0.3", "--hours", "2",
                          "--explain", "--format", "json"))  # fmt: skip
    assert [gpu["role"] for gpu in plan["gpus"]] == ["compute", "ignored"]
    assert plan["driver"]["branch"] == "615" and plan["driver"]["server"] and plan["driver"]["provider"] == "prebuilt"
    assert plan["driver"]["kernel_flavour"] == "generic-hwe-24.04"
    assert {item["code"] for item in plan["advice"]} == {"ram_below_twice_gpu_memory", "power_supply_small", "energy"}
    assert plan["excluded"]
    cpu = json.loads(run("--gpu", "RTX 3090", "--ignore-gpu", "all", "--no-avx", "--format", "json"))
    assert cpu["driver"] is None and cpu["frameworks"]["jax"]["version"] is None
    wsl = json.loads(run("--gpu", "RTX 3090", "--wsl", "--driver", "551.23", "--format", "json"))
    assert wsl["driver"] is None and wsl["frameworks"]["jax"]["build"] == "cuda12"


@pytest.mark.parametrize("command", [
    "--gpu=GTX 960 --gpu=RTX 5090", "--gpu=GTX 580", "--gpu=GTX 580 --gpu=RTX 4090",
    "--gpu=GTX 1080 Ti --pin=driver=595",
    "--gpu=GTX 780 Ti --os=debian-13", "--gpu=RTX 3090 --os=debian-12 --secure-boot=on --unattended",
    "--gpu=RTX 4090 --wsl --pin=driver=580", "--gpu=GTX 1080 Ti --wsl --driver=591.44", "--gpu=T4 --vgpu",
    "--gpu=RTX 3090 --os=debian-13 --pin=driver=550-open", "--gpu=GTX 1080 Ti --pin=cuda=13.0", "--gpu=RTX 5090",
    "--gpu=RTX 5090 --pin=cuda=12.4", "--gpu=GTX 960 --pin=pytorch=2.15.0", "--gpu=Tesla K80", "--gpu=GH200",
    "--gpu=RTX 3090 --pin=keras=3.15.1 --pin=python=3.10", "--gpu=RTX 3090 --pin=python=3.14",
    "--gpu=RTX 3090 --pin=modules=open --pin=driver=580-proprietary", "--gpu=GTX 1080 Ti --pin=modules=open",
])  # fmt: skip
def test_following_an_alternative_does_not_lead_to_the_next_refusal(command: str) -> None:
    words = re.findall(r"--\S+?=.+?(?= --|$)|--\S+", command)
    first = json.loads(run_any(*words))
    for item in first["alternatives"]:
        more = [word for argument in item["arguments"] for word in argument.split(" ", 1)]
        if more:
            again = json.loads(run_any(*words, *more))
            assert again["ok"], (item, again["refusals"])
    assert first["ok"] or any(item["arguments"] for item in first["alternatives"]), first["refusals"]


def test_this_machine_without_ansible_and_from_saved_facts(tmp_path: Path) -> None:
    saved = tmp_path / "facts.json"
    program = ["-E", "-S", str(PLAN), "--local", "--format", "json", "--save-facts", str(saved)]
    done = subprocess.run([sys.executable, *program], capture_output=True, text=True, check=False)
    assert done.returncode in (0, 2), done.stderr
    assert json.loads(done.stdout)["os"]["kernel"]
    again = json.loads(run("--facts", str(saved), "--format", "json", code=done.returncode))
    assert again["driver"] == json.loads(done.stdout)["driver"]
    other = json.loads(run("--facts", str(saved), "--os", "ubuntu-26.04", "--format", "json"))
    assert other["os"]["id"] == "ubuntu" and other["os"]["kernel"].startswith("7.0")


@pytest.fixture
def inventory(tmp_path: Path) -> Path:
    """Two hosts that are this machine; one preferences something impossible."""
    local = {"ansible_connection": "local", "ansible_python_interpreter": sys.executable}
    hosts = {"alpha": local, "beta": {**local, "dlbox_gpu_roles": {}, "dlbox_pins": {"pytorch": "9.9"}}}
    path = tmp_path / "hosts.json"
    path.write_text(json.dumps({"all": {"hosts": hosts}}), encoding="utf-8")
    return path


def test_each_host_of_the_inventory(inventory: Path) -> None:
    plans: list[dict[str, Any]] = json.loads(run("-i", str(inventory), "--format", "json", code=2))
    assert [plan["host"] for plan in plans] == ["alpha", "beta"]
    assert [plan["ok"] for plan in plans] == [True, False]
    assert plans[1]["refusals"][0]["code"] == "pin_unknown"
    text = run("-i", str(inventory), "--limit", "alpha", "--policy", "newest", "--date", "2026-11-20")
    assert text.startswith("alpha: ")


def play_plan(inventory: Path, folder: Path, *words: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run playbooks/tools/plan.yml for an inventory; the plans are in the folder."""
    program = Path(sys.executable).with_name("ansible-playbook")
    command = [str(program), "-i", str(inventory), "playbooks/tools/plan.yml"]
    command += ["-e", f"dlbox_plan_directory={folder}", *words]
    variables = {**os.environ, "ANSIBLE_CONFIG": str(TOP / "ansible.cfg"), "NO_COLOR": "1", **environment}
    return subprocess.run(command, cwd=TOP, env=variables, text=True, capture_output=True, check=False)


def test_a_plan_among_cached_facts_is_not_taken_for_the_plan(inventory: Path, tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    kept = {"ANSIBLE_CACHE_PLUGIN": "jsonfile", "ANSIBLE_CACHE_PLUGIN_CONNECTION": str(cache)}
    assert play_plan(inventory, tmp_path, "--limit", "alpha", **kept).returncode == 0
    (file,) = (path for path in cache.iterdir() if "dlbox_plan" in path.read_text())
    text = file.read_text()
    file.write_text(text.replace("policy", "planted"))
    assert "planted" in file.read_text()
    done = play_plan(inventory, tmp_path, "--limit", "alpha", **kept)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "planted" not in json.loads((tmp_path / "alpha.json").read_text())
    assert "planted" not in file.read_text() and file.read_text() == text


def test_facts_given_as_extra_variables_are_refused(inventory: Path, tmp_path: Path) -> None:
    done = play_plan(inventory, tmp_path, "-e", json.dumps({"ansible_facts": {"dlbox_plan": {"ok": True}}}))
    assert done.returncode == 2 and "--extra-vars sets ansible_facts" in done.stdout
    assert not list(tmp_path.glob("alpha.json"))


def test_a_host_that_cannot_be_asked_exits_69(inventory: Path) -> None:
    hosts = json.loads(inventory.read_text(encoding="utf-8"))
    hosts["all"]["hosts"]["gone"] = {"ansible_connection": "local", "ansible_python_interpreter": "/nowhere/python"}
    inventory.write_text(json.dumps(hosts), encoding="utf-8")
    text = run("-i", str(inventory), "--limit", "alpha,gone", code=69)
    assert text.startswith("alpha: ")


def module(arguments: dict[str, Any], folder: Path | None = None, name: str = MACHINE_PLAN) -> dict[str, Any]:
    """Run a module as a task does, in check mode, and return its result; files in ``folder``, else in its root."""
    folder = folder or Path(arguments["root"])
    play = [{"hosts": "localhost", "gather_facts": False, "connection": "local",
             "vars": {"ansible_python_interpreter": sys.executable},
             "tasks": [{name: arguments, "register": "result", "ignore_errors": True},
                       {"copy": {"content": "{{ result | to_json }}", "dest": f"{folder}/result.json"},
                        "check_mode": False}]}]  # fmt: skip
    book = folder / "play.json"
    book.write_text(json.dumps(play), encoding="utf-8")
    program = Path(sys.executable).with_name("ansible-playbook")
    done = subprocess.run([str(program), "--check", "-i", "localhost,", str(book)], cwd=TOP, capture_output=True,
                          text=True, check=False)  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    result: dict[str, Any] = json.loads((folder / "result.json").read_text(encoding="utf-8"))
    return result


def test_the_module_yields_the_same_plan_as_a_host_fact(tmp_path: Path) -> None:
    from ansible_collections.dlbox.workstation.plugins.module_utils.machine.detect import detect
    from ansible_collections.dlbox.workstation.plugins.plugin_utils.planner.planner import plan
    from machine_roots import build

    root = build("bare-metal", tmp_path)
    result = module({"root": str(root), "today": "2026-11-20", "pins": {"cuda": "12.6"}})
    assert result["changed"] is False
    facts = result["ansible_facts"]
    assert facts["dlbox_machine"] == detect(root)
    assert facts["dlbox_plan"] == plan(detect(root), {"today": "2026-11-20", "pins": {"cuda": "12.6"}})


def test_the_facts_that_roles_read_are_as_setup_gives_them(tmp_path: Path) -> None:
    ours = module({"today": "2026-11-20"}, tmp_path)["ansible_facts"]
    subset = ["!all", "!min", "network", "platform", "python", "virtual"]
    usual = module({"gather_subset": subset}, tmp_path, "setup")["ansible_facts"]
    assert sorted(ours["all_ipv4_addresses"]) == sorted(usual["ansible_all_ipv4_addresses"])
    v6 = {address for address in usual["ansible_all_ipv6_addresses"] if not address.startswith("fe80:")}
    assert set(ours["all_ipv6_addresses"]) == v6
    assert ours["hostname"] == usual["ansible_hostname"]
    assert ours["python"]["executable"] == usual["ansible_python"]["executable"]
    assert ours["python_version"] == usual["ansible_python_version"]
    assert ("container" in ours["virtualization_tech_guest"]) == (
        "container" in usual["ansible_virtualization_tech_guest"]
    )


def test_the_module_fails_in_words(tmp_path: Path) -> None:
    from machine_roots import build

    root = build("bare-metal", tmp_path)
    refused = module({"root": str(root), "fail_on_refusal": True, "pins": {"driver": "595"}})
    assert refused["failed"] and "GTX 1080 Ti (Pascal) needs branch 580 or older" in refused["msg"]
    wrong = module({"root": str(root), "pins": {"engine": 1}})
    assert wrong["failed"] and "pin 'engine' is not known" in wrong["msg"]


GOOD: dict[str, Any] = {"os": {"id": "ubuntu", "version": "24.04", "kernel": "6.8.0-149-generic"}, "gpus": []}
USUAL = {
    "all_ipv4_addresses": ["192.0.2.7"],
    "all_ipv6_addresses": [],
    "hostname": "box",
    "python": {"executable": "/usr/bin/python3"},
    "python_version": "3.12.3",
    "virtualization_tech_guest": [],
}
#: What a host that somebody else owns may answer, and what the error says of it.
HOSTILE: dict[str, tuple[dict[str, Any], str]] = {
    "another name for the certificate": (
        {"machine": GOOD, "usual": {**USUAL, "all_ipv4_addresses": ["192.0.2.7,DNS:bank.example"]}},
        "facts.all_ipv4_addresses",
    ),
    "template": (
        {"machine": {**GOOD, "os": {**GOOD["os"], "name": "{{ lookup('pipe', 'touch TOUCHED') }}"}}},
        "facts.os.name is",
    ),
    "newline": ({"machine": {**GOOD, "gpus": [{"name_hint": "RTX 3090\n-i http://x"}]}}, "facts.gpus.0.name_hint is"),
    "escape": ({"machine": {**GOOD, "gpus": [{"note": "\x1b]0;owned\x07"}]}}, "facts.gpus.0.note is"),
    "many": ({"machine": {**GOOD, "gpus": [{}] * 200_000}}, "facts.gpus is a list of 200000, expected at most 64"),
    "long": ({"machine": {**GOOD, "host": "x" * 1_000_000}}, "facts.host is a text of 1000000 characters, expected"),
    "bool": ({"machine": {**GOOD, "memory_mib": True}}, "facts.memory_mib is true, expected integer or null"),
    "key": ({"machine": {**GOOD, "plan": {"ok": True}}}, "facts has the key 'plan', expected only host, os"),
    "types": ({"machine": {"os": [], "gpus": {}}}, "facts.os is a list of 0, expected object; facts.gpus is a mapping"),
    "none": ({"machine": None}, "facts is null, expected object"),
    "beside": ({"machine": GOOD, "usual": {**USUAL, "python": {"executable": "/bin/sh -c x"}}}, "facts.python.execut"),
    "nothing": ({}, "the host returned no facts"),
}  # fmt: skip
#: A machine_facts that answers what a file says.
ANSWERS = """#!/usr/bin/python
# WANT_JSON
import json, sys
print(open(json.load(open(sys.argv[1]))["root"]).read())
"""


@pytest.fixture(scope="module")
def answered(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, Any]]:
    """Plan hosts that answer with what an attacker writes, all in one run; return the result of each."""
    top = tmp_path_factory.mktemp("hostile")
    # A collection beside the play comes before the one of the project.
    plugins = top / "collections/ansible_collections/dlbox/workstation/plugins"
    shutil.copytree(TOP / "plugins", plugins)
    shutil.copytree(TOP / "docs", plugins.parent / "docs")
    (plugins / "modules/machine_facts.py").write_text(ANSWERS)
    answers = {name: answer for name, (answer, _) in HOSTILE.items()} | {"good": {"machine": GOOD}}
    for name, answer in answers.items():
        said = {"changed": False, "usual": USUAL, "ansible_facts": {"ansible_user": "x"}, **answer}
        (top / f"{name}.json").write_text(json.dumps(said))
    local = {"ansible_connection": "local", "ansible_python_interpreter": sys.executable}
    (top / "hosts.json").write_text(json.dumps({"all": {"hosts": dict.fromkeys(answers, local)}}))
    play = [{"hosts": "all", "gather_facts": False,
             "tasks": [{MACHINE_PLAN: {"root": f"{top}/{{{{ inventory_hostname }}}}.json"}, "register": "result",
                        "ignore_errors": True},
                       {"copy": {"content": "{{ result | to_json }}",
                                 "dest": f"{top}/{{{{ inventory_hostname }}}}.result"}}]}]  # fmt: skip
    (top / "play.json").write_text(json.dumps(play))
    program = Path(sys.executable).with_name("ansible-playbook")
    command = [str(program), "-i", str(top / "hosts.json"), str(top / "play.json")]
    done = subprocess.run(command, cwd=TOP, text=True, capture_output=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Traceback" not in done.stdout + done.stderr and "\x1b]0;" not in done.stdout + done.stderr
    return {path.stem: json.loads(path.read_text()) for path in top.glob("*.result")}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_host_is_not_believed_beyond_the_schema(answered: dict[str, dict[str, Any]], name: str) -> None:
    result = answered[name]
    assert result["failed"] and "dlbox_plan" not in result.get("ansible_facts", {})
    assert name == "nothing" or result["msg"].startswith(
        f"machine_plan: {name}: the facts that it returned are not valid: "
    )
    assert HOSTILE[name][1] in result["msg"] and len(result["msg"]) < 1000
    assert not (TOP / "TOUCHED").exists()


def test_a_host_adds_no_fact_of_its_own(answered: dict[str, dict[str, Any]]) -> None:
    assert set(answered["good"]["ansible_facts"]) == {*USUAL, "dlbox_machine", "dlbox_plan"}


#: What the Python of a host that somebody else owns may print instead of running the module.
PRINTED: dict[str, bytes] = {
    "garbage": b"\x1b]0;owned\x07 no JSON \xff\xfe\n",
    "silent": b"",
    "list": b"[1, 2]",
    "deep": b'{"machine": ' + b"[" * 200_000 + b"]" * 200_000 + b"}",
    "nan": json.dumps({"machine": {**GOOD, "memory_mib": float("nan")}, "usual": USUAL}).encode(),
    "huge": json.dumps({"machine": {**GOOD, "host": "x" * 5_000_000}, "usual": USUAL}).encode(),
    "template": json.dumps(
        {"machine": GOOD, "usual": {**USUAL, "hostname": "{{ lookup('pipe', 'touch TOUCHED') }}"}}
    ).encode(),
}
#: Valid facts, and beside them what Ansible would take of a module's result.
BESIDE = {
    "machine": GOOD, "usual": USUAL, "ansible_facts": {"dlbox_plan": {"planted": True}, "ansible_connection": "local"},
    "add_host": {"host_name": "evil"}, "warnings": ["\x1b]0;owned\x07"], "exception": "\x1b]0;owned\x07",
    "ansible_stats": {"data": {"x": "{{ lookup('pipe', 'touch TOUCHED') }}"}, "per_host": False, "aggregate": True},
}  # fmt: skip


def test_a_host_whose_python_is_not_one_is_planned_by_no_word_of_it(tmp_path: Path) -> None:
    """The whole command against hosts that answer Ansible themselves: each fails alone, and the others are planned."""
    hosts: dict[str, dict[str, str]] = {"real": {"ansible_python_interpreter": sys.executable}}
    for name, text in {**PRINTED, "beside": json.dumps(BESIDE).encode()}.items():
        program, answer = tmp_path / name, tmp_path / f"{name}.answer"
        answer.write_bytes(text)
        program.write_text(f"#!/bin/sh\ncat > /dev/null\nexec cat '{answer}'\n")
        program.chmod(0o755)
        hosts[name] = {"ansible_python_interpreter": str(program)}
    for host in hosts.values():
        host["ansible_connection"] = "local"
    inventory = tmp_path / "hosts.json"
    inventory.write_text(json.dumps({"all": {"hosts": hosts}}))
    command = [sys.executable, str(PLAN), "-i", str(inventory), "--format", "json"]
    done = subprocess.run(command, cwd=TOP, text=True, capture_output=True, check=False)
    assert done.returncode == 69, done.stderr
    plans = {one["host"]: one for one in json.loads(done.stdout)}
    assert sorted(plans) == ["beside", "real"]
    assert plans["beside"]["driver"] is None and "planted" not in plans["beside"]
    for name in PRINTED:
        assert re.search(rf"^{name} +: ok=0 .*failed=1 ", done.stderr, re.MULTILINE), name
    assert "Traceback" not in done.stderr and "\x1b" not in done.stderr and len(done.stderr) < 20_000
    assert not (TOP / "TOUCHED").exists() and not (TOP / "playbooks/tools/TOUCHED").exists()
