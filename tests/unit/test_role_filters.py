"""What roles say to the owner, and what they make of the options: the filters of role_reports and option_checks."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible_collections.dlbox.workstation.plugins.filter import option_checks, role_reports
from ansible_collections.dlbox.workstation.plugins.plugin_utils.planner.data.wheels import SIZES
from ansible_collections.dlbox.workstation.plugins.plugin_utils.planner.sizes import sizes

PROJECT = Path(__file__).resolve().parents[2]


def test_what_is_left_for_the_admins() -> None:
    accounts = {
        "ada": {"password": True, "passwordless": False, "problem": ""},
        "bob": {"password": False, "passwordless": False, "problem": "is locked"},
        "eve": {"password": False, "passwordless": True, "problem": ""},
        "kim": {"password": False, "passwordless": False, "problem": ""},
    }
    assert role_reports.admins_todo(accounts, ["kim"]) == [
        "The account bob has no password, so sudo refuses it: run sudo passwd bob, or give it sudo: nopasswd.",
        "The account bob takes no login, with a key either: it is locked.",
        "sudo asks eve for no password, by a rule that is not of dlbox (sudo -l -U eve). Remove it, or give "
        "eve sudo: nopasswd.",
    ]


def test_what_is_said_of_the_environments() -> None:
    environments = [
        {"name": "jupyter", "status": "unchanged", "note": ""},
        {"name": "theano", "status": "made", "note": "PyTensor"},
        {"name": "jax", "status": "refused", "note": "no GPU"},
        {"name": "torch", "status": "failed", "note": "no network"},
    ]
    assert role_reports.conda_setup(environments, "/opt/conda") == [
        "conda: jupyter, theano in /opt/conda",
        "conda: theano: PyTensor",
    ]
    assert role_reports.conda_todo(environments) == ["The environment jax was not made: no GPU"]


PLAN: dict[str, Any] = {
    "os": {"wsl": False, "virtualization": "none"},
    "gpus": [{"note": ""}],
    "refusals": [{"component": "cuda", "message": "too old"}, {"component": "driver", "message": "no branch"}],
    "driver": None,
}


@pytest.mark.parametrize(
    ("change", "in_container", "reason"),
    [
        ({"driver": {"branch": 580}}, False, ""),
        ({"driver": {"branch": 580}, "os": {"virtualization": "docker"}}, False, "this is a container"),
        ({"driver": {"branch": 580}, "os": {"virtualization": "docker"}}, True, ""),
        ({"driver": {"branch": 580}, "os": {"wsl": True}}, False, "WSL2 uses the driver of Windows"),
        ({"gpus": []}, False, "no NVIDIA GPU in this machine"),
        ({}, False, "the plan has no driver for this machine, nothing done: too old; no branch"),
        ({"refusals": [], "gpus": [{"note": "b"}, {"note": "a"}, {"note": "b"}, {}]}, False, "nothing done: b; a"),
    ],
)
def test_why_there_is_no_driver(change: dict[str, Any], in_container: bool, reason: str) -> None:
    said = role_reports.nvidia_driver_skip_reason({**PLAN, **change}, in_container=in_container)
    assert reason in said and bool(reason) == bool(said)
    assert role_reports.nvidia_driver_skip_reason({}, in_container=in_container) == role_reports.NO_PLAN


@pytest.mark.parametrize(
    ("plan", "asked", "found", "reason"),
    [
        (PLAN, False, True, "no toolkit asked for (cuda_toolkits is empty)"),
        (PLAN, True, True, ""),
        ({}, True, False, role_reports.NO_PLAN),
        (PLAN, True, False, "the plan has no toolkit for this machine, nothing done: too old"),
    ],
)
def test_why_there_is_no_toolkit(plan: dict[str, Any], asked: bool, found: bool, reason: str) -> None:
    said = role_reports.cuda_skip_reason(plan, asked=asked, found=found)
    assert reason in said and bool(reason) == bool(said)


def installed(**state: Any) -> dict[str, Any]:
    empty = {"reboot_reasons": [], "built_modules": [], "waiting_kernels": [], "boot_guarded": True}
    return {"state": {**empty, **state}}


BUILT = {"release": "6.12", "tree": "nvidia/580", "key": "", "signer": ""}


@pytest.mark.parametrize(
    ("driver", "mok", "settings", "said"),
    [
        (installed(), {}, {}, []),
        (installed(reboot_reasons=["new"]), {}, {}, ["Restart, because new: `sudo systemctl reboot`."]),
        (
            installed(reboot_reasons=["new"]),
            {"enrolment": "staged", "keystrokes": "Press a key.", "serial": "1"},
            {},
            ["Secure Boot: the key for the NVIDIA modules waits .* `sudo cat /var/x/mok-password`.* Press a key."],
        ),
        (installed(), {"enrolment": "absent"}, {}, ["Secure Boot: the key .* is not enrolled, so they will not load."]),
        (
            installed(built_modules=[BUILT, {**BUILT, "key": "2", "signer": "me"}, {**BUILT, "key": "1"}]),
            {"enrolment": "enrolled", "serial": "1"},
            {},
            [
                "Secure Boot: the module for kernel 6.12 is not signed, so .* build --force nvidia/580 -k 6.12 ",
                "Secure Boot: the module for kernel 6.12 is signed by me, not by the key of this machine, so ",
            ],
        ),
        (installed(built_modules=[BUILT]), {}, {}, []),
        (
            installed(waiting_kernels=["6.1"]),
            {},
            {},
            ["Kernel 6.1 has no NVIDIA module and is not started by default."],
        ),
        (
            installed(waiting_kernels=["6.1"], boot_guarded=False),
            {},
            {},
            ["Kernel 6.1 has no NVIDIA module, and the boot loader may start it: choose another there."],
        ),
        ({**installed(), "notes": ["old"]}, {}, {"errors": ["e"], "notes": ["n"]}, ["NVIDIA driver: old.", "e", "n"]),
    ],
)
def test_what_is_left_for_the_driver(
    driver: dict[str, Any], mok: dict[str, Any], settings: dict[str, Any], said: list[str]
) -> None:
    todo = role_reports.nvidia_driver_todo(driver, mok, settings, "/var/x")
    assert len(todo) == len(said)
    for sentence, expected in zip(todo, said, strict=True):
        assert re.match(expected, sentence), sentence


def test_the_ports_of_servers() -> None:
    assert option_checks.jupyter_ports(["ada", "bob"], "8888", {"bob": 9000}) == {"ada": 8888, "bob": 9000}


GOOD = {
    "users": ["ada"], "ports": {}, "tls_certificate": "", "tls_key": "", "memory_max": "", "default_kernel": "",
    "kernel_environments": [{"name": "torch"}],
}  # fmt: skip


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({}, ""),
        ({"memory_max": "75%", "default_kernel": "torch", "ports": {"ada": 1}}, ""),
        ({"tls_key": "/k", "tls_certificate": "/c"}, ""),
        ({"tls_key": "/k"}, "jupyter_tls_certificate is '' and jupyter_tls_key is '/k'. Expected both paths"),
        ({"ports": {"eve": 1}}, "jupyter_ports names eve, expected accounts of jupyter_users (ada)."),
        ({"memory_max": "lots"}, "jupyter_memory_max is 'lots'. Expected an amount such as 48G"),
        ({"default_kernel": "jax"}, "jupyter_default_kernel is 'jax', expected one of torch."),
        (
            {"default_kernel": "x", "kernel_environments": []},
            "expected one of the environments, of which there are none.",
        ),
    ],
)
def test_what_is_wrong_with_the_options_of_the_servers(change: dict[str, Any], said: str) -> None:
    problems = option_checks.jupyter_problems({**GOOD, **change})
    assert len(problems) == bool(said) and said in " ".join(problems)


def test_clients_that_are_shut_out() -> None:
    clients = yaml.safe_load((PROJECT / "roles/ssh_hardening/files/clients.yml").read_text())
    offered = {
        keyword: sorted({name for client in clients for name in client[kind]})
        for kind, keyword in {
            "kex": "KexAlgorithms", "ciphers": "Ciphers", "macs": "MACs", "host_keys": "HostKeyAlgorithms"
        }.items()
    }  # fmt: skip
    assert option_checks.shut_out_clients(clients, offered) == []
    everybody = [name for client in clients for name in client["clients"]]
    for keyword in offered:
        assert option_checks.shut_out_clients(clients, {**offered, keyword: []}) == everybody
    quantum_safe = {**offered, "KexAlgorithms": ["sntrup761x25519-sha512@openssh.com"]}
    modern = option_checks.shut_out_clients(clients, quantum_safe)
    assert 0 < len(modern) < len(everybody) and "Windows 10" in modern


def test_ipv4_networks_as_a_socket_for_both_families_shows_them() -> None:
    networks = ["127.0.0.0/8", "::1/128", "192.168.1.0/24", "192.0.2.7"]
    assert option_checks.ipv4_mapped(networks) == [
        "::ffff:127.0.0.0/104", "::ffff:192.168.1.0/120", "::ffff:192.0.2.7/128"
    ]  # fmt: skip


def test_fatal_refusals_end_the_run_unless_the_owner_accepts_them() -> None:
    refusals = [{"message": "Too old.", "remedy": "Buy one.", "fatal": True}]
    refusals += [{"message": "x", "remedy": "y", "fatal": False}]
    assert option_checks.plan_problems({"ok": False, "refusals": refusals}, False) == ["Too old. Buy one."]
    assert option_checks.plan_problems({"ok": False, "refusals": refusals}, True) == []
    assert option_checks.plan_problems({"ok": True, "refusals": []}, False) == []


@pytest.mark.parametrize(
    ("architecture", "environments", "base", "refused"),
    [
        ("x86_64", None, True, False),
        ("aarch64", None, False, True),
        ("aarch64", [], True, True),
        ("aarch64", [{"name": "torch"}], False, True),
        ("aarch64", [], False, False),
    ],
)
def test_environments_are_for_one_architecture(
    architecture: str, environments: list[Any] | None, base: bool, refused: bool
) -> None:
    problems = option_checks.architecture_problems(architecture, environments, base)
    assert len(problems) == refused and all("this machine is aarch64" in problem for problem in problems)


GPU_PLAN = {
    "frameworks": {
        **{name: {"gpu": True} for name in ("pytorch", "tensorflow", "jax")},
        "keras": {"gpu": True, "backend": "tensorflow"},
    }
}


def room(free: float, *present: str) -> dict[str, Any]:
    """What preflight_host returns. free: in GiB."""
    return {"target": "/opt/conda", "path": "/opt", "free": int(free * 1024**3), "environments": list(present)}


def named(*names: str) -> list[dict[str, str]]:
    return [{"name": name} for name in names]


def test_room_is_needed_for_what_is_to_be_made_and_for_nothing_else() -> None:
    wanted = named("base", "jupyter", "pytorch")
    (problem,) = option_checks.disk_problems(room(3), wanted, GPU_PLAN, None)
    assert "Free space at /opt is 3.0 GiB, expected at least 6.3 GiB" in problem
    assert "base 0.5, jupyter 0.3, pytorch 5.5" in problem and "dlbox_conda_root (/opt/conda)" in problem
    assert option_checks.disk_problems(room(3), wanted, {}, None) == []  # the CPU build is small
    assert option_checks.disk_problems(room(1), wanted, GPU_PLAN, None) != []
    assert option_checks.disk_problems(room(1, "pytorch"), wanted, GPU_PLAN, None) == []
    # The run that frees space, and one that only compares, on a disk that is full.
    away = [*named("base", "jupyter"), {"name": "pytorch", "state": "absent"}]
    assert option_checks.disk_problems(room(0, "base", "jupyter", "pytorch"), away, GPU_PLAN, None) == []
    assert option_checks.disk_problems(room(0, "base", "jupyter", "pytorch"), wanted, GPU_PLAN, 90) == []
    assert option_checks.disk_problems(room(0), [], GPU_PLAN, 90) == []


def test_the_owners_own_figure_counts_instead_of_the_estimate() -> None:
    wanted = named("pytorch")
    assert option_checks.disk_problems(room(2), wanted, GPU_PLAN, 1) == []
    (problem,) = option_checks.disk_problems(room(200, "base"), wanted, GPU_PLAN, 900)
    assert "expected at least 900.0 GiB for those to be made (dlbox_minimum_disk)" in problem


def test_environments_that_share_their_files_count_once() -> None:
    both = sizes(named("tensorflow", "keras", "own"), GPU_PLAN)
    assert both["keras"].disk == 0 < both["own"].disk < both["tensorflow"].disk
    assert sizes(named("keras"), GPU_PLAN)["keras"] == both["tensorflow"]
    assert sizes([{"name": "mine", "definition": "tensorflow"}], GPU_PLAN)["mine"] == both["tensorflow"]


def test_every_shipped_environment_has_a_size() -> None:
    shipped = yaml.safe_load((PROJECT / "roles/conda/vars/main.yml").read_text())["__conda_definitions"]
    known = {name for name, _ in SIZES}
    assert known == set(shipped) - {"keras"}


@pytest.mark.parametrize(
    ("user", "over_ssh", "admins", "told"),
    [
        ("ada", True, ["ada"], []),
        ("bob", False, ["ada"], []),  # at the console, or in a container
        ("bob", True, [], []),  # nobody is named: the variables' own problem
        ("bob", True, ["ada", "eve"], ["dlbox_admins is ada, eve", "Add bob to dlbox_admins", "ansible_user: ada"]),
        ("root", True, ["ada"], ["logs in over ssh as root", "ansible_user: ada", "usermod -aG sudo ada"]),
    ],
)
def test_the_account_that_dlbox_logs_in_as_has_to_be_an_admin(
    user: str, over_ssh: bool, admins: list[str], told: list[str]
) -> None:
    problems = option_checks.login_problems(user, over_ssh, named(*admins))
    assert len(problems) == bool(told)
    assert all(part in problems[0] for part in told)
