"""`./dlbox init` as a person meets it: in a terminal, with nobody there, and interrupted."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import sysconfig
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import plan as plan_command
import pytest
import yaml
from ansible_collections.dlbox.workstation.plugins.filter.public_keys import admin_problems
from ansible_collections.dlbox.workstation.plugins.lookup.variable_problems import (
    load_specs,
    misspelt,
    name_problems,
    type_problems,
)
from ansible_collections.dlbox.workstation.plugins.module_utils.public_key import read
from ansible_collections.dlbox.workstation.plugins.plugin_utils.planner.planner import plan
from terminal import CTRL_C, CTRL_U, DOWN, ENTER, SPACE, Terminal

PROJECT = Path(__file__).resolve().parents[3]
LAPTOP = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4f ada@laptop"
HOST_KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIB8eHRwbGhkYFxYVFBMSERAPDg0MCwoJCAcGBQQDAgEA"
FINGERPRINT = read(HOST_KEY).fingerprint
ACCOUNT, KEYS, NETWORKS, JUPYTER = (
    "Account that administers it",
    "Public keys that let",
    "Networks that",
    "Where JupyterLab",
)
ENVIRONMENTS, ZONE, WRITE = "Environments to make", "Time zone:", "Write this to"
QUESTIONS = [ACCOUNT, KEYS, NETWORKS, JUPYTER, ENVIRONMENTS, ZONE, WRITE]
ROUTES = [
    {"dst": "default", "gateway": "192.168.7.1", "dev": "enp4s0"},
    {"dst": "192.168.7.0/24", "dev": "enp4s0", "protocol": "kernel", "scope": "link"},
    {"dst": "172.17.0.0/16", "dev": "docker0", "protocol": "kernel", "scope": "link"},
]
# A machine with an RTX 4090, whatever this one has: real facts but for these.
GPU = {
    "os": {"id": "ubuntu", "version": "24.04", "codename": "noble", "kernel": "6.8.0-149-generic", "arch": "x86_64",
           "secure_boot": False, "virtualization": "none", "wsl": False},
    "gpus": [{"pci_id": "10de:2684", "slot": "0000:01:00.0"}],
    "driver": {"loaded": None},
}  # fmt: skip
# ssh to a box that is this machine; its host key is not known, and it lets in those of whom the file says so.
SSH = """#!/bin/sh
known=$HOME/.ssh/known_hosts
for word in "$@"; do
  case $word in
    -G) printf 'user %s\\nhostname %s\\nport 22\\nuserknownhostsfile %s\\n' "$(id -un)" "$3" "$known"; exit ;;
    UserKnownHostsFile=*) known=${word#*=} ;;
    StrictHostKeyChecking=accept-new) echo "192.0.2.7 KEY" >"$known"; new=1 ;;
  esac
  last=$word
done
[ -z "$new" ] || { echo "ada@192.0.2.7: Permission denied (publickey)." >&2; exit 255; }
grep -q "KEY" "$known" 2>/dev/null || { echo "Host key verification failed." >&2; exit 255; }
[ -e "$HOME/let-in" ] || { echo "ada@192.0.2.7: Permission denied (publickey)." >&2; exit 255; }
exec sh -c "$last"
""".replace("KEY", HOST_KEY)
# What ./dlbox plan runs, where a test is about something else: it has planned already.
PLANNED = """#!/bin/sh
for word in "$@"; do
  case $word in '{'*) folder=$(printf %s "$word" | sed 's/.*"dlbox_plan_directory": "\\([^"]*\\)".*/\\1/') ;; esac
done
cp "$HOME/plan.json" "$folder/"
"""


class Home:
    """A person's home with a key, an inventory as shipped, and commands that say what a test wants."""

    def __init__(self, folder: Path) -> None:
        """Make it."""
        self.folder, self.inventory, commands = folder, folder / "inventory", folder / "bin"
        shutil.copytree(PROJECT / "inventory/home", self.inventory)
        (folder / ".ssh").mkdir(mode=0o700)
        (folder / ".ssh/id_ed25519.pub").write_text(f"{LAPTOP}\n")
        commands.mkdir()
        self.command("ip", f"#!/bin/sh\n[ $1 = -4 ] && echo '{json.dumps(ROUTES)}' || echo '[]'\n")
        self.command("ssh-add", "#!/bin/sh\nexit 1\n")
        self.command("ssh", SSH)
        # The environment's programs are those beside its Python.
        (commands / "python").symlink_to(sys.executable)
        self.command("ansible-playbook", PLANNED)
        (folder / "plan.json").write_text(
            json.dumps(plan(plan_command.hypothetical(plan_command.parser().parse_args(["--no-gpu"])), {}))
        )
        self.real = False
        self.owner = self.inventory / "group_vars/all/owner.yml"
        self.env = {
            **{name: value for name, value in os.environ.items() if name not in ("SUDO_USER", "SSH_AUTH_SOCK")},
            "HOME": str(folder),
            "USER": "ada",
            "PATH": f"{commands}:{Path(sys.executable).parent}:{os.environ['PATH']}",
            "ANSIBLE_CONFIG": str(PROJECT / "ansible.cfg"),
            "PYTHONPATH": sysconfig.get_path("purelib"),
            "TERM": "xterm",
            "LC_ALL": "C.UTF-8",
        }
        self.terminals: list[Terminal] = []

    def command(self, name: str, text: str) -> None:
        """Put a program on the PATH."""
        (self.folder / "bin" / name).write_text(text)
        (self.folder / "bin" / name).chmod(0o755)

    def ssh_fails(self, said: str) -> None:
        """No connection succeeds."""
        self.command("ssh", f"#!/bin/sh\necho '{said}' >&2\nexit 255\n")

    def words(self, *more: str) -> list[str]:
        python = sys.executable if self.real else str(self.folder / "bin/python")
        return [python, str(PROJECT / "scripts/init.py"), "-i", str(self.inventory), *more]

    def terminal(self, *more: str) -> Terminal:
        self.terminals.append(Terminal(self.words(*more), self.env, PROJECT))
        return self.terminals[-1]

    def run(self, *more: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            self.words(*more), env=self.env, cwd=PROJECT, text=True, capture_output=True, stdin=subprocess.DEVNULL
        )

    def files(self) -> dict[str, bytes]:
        """Every file of the inventory."""
        return {
            str(file.relative_to(self.inventory)): file.read_bytes()
            for file in self.inventory.rglob("*")
            if file.is_file()
        }

    def variables(self, host: str = "localhost") -> dict[str, Any]:
        """What Ansible makes of the inventory for a host."""
        words = [str(Path(sys.executable).with_name("ansible-inventory")), "-i", str(self.inventory), "--host", host]
        done = subprocess.run(words, env=self.env, cwd=PROJECT, text=True, capture_output=True, check=True)
        found: dict[str, Any] = json.loads(done.stdout)
        return found


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Home]:
    """A home; what a test leaves running is ended."""
    made = Home(tmp_path)
    yield made
    for terminal in made.terminals:
        terminal.abandon()


def problems(variables: dict[str, Any], folder: Path) -> list[str]:
    """What preflight would say of them."""
    specs = load_specs(PROJECT)
    found = [
        problem for name in set(specs) & set(variables) for problem in type_problems(name, variables[name], specs[name])
    ]
    found += misspelt([name for name in variables if name not in specs and name.startswith("dlbox_")], list(specs))
    admins = json.loads(json.dumps(variables["dlbox_admins"]).replace("~/", f"{folder}/"))
    return found + admin_problems(admins) + name_problems([admin["name"] for admin in admins])


def test_enter_takes_what_was_detected_and_a_second_run_changes_nothing(home: Home) -> None:
    home.real = True
    before = home.owner.read_text()
    for _ in range(2):
        person = home.terminal()
        for question in QUESTIONS[:-1]:
            person.answer(question)
        if _ == 0:
            person.answer(WRITE)
            person.expect("written. Next: ./dlbox check")
        else:
            person.expect("says all of that already; nothing to write")
        assert person.end() == 0
        after = home.files()
        assert before != home.owner.read_text() or _
        before = home.owner.read_text()
    assert home.files() == after
    found = home.variables()
    assert found["dlbox_admins"] == [{"name": "ada", "keys": ["~/.ssh/id_ed25519.pub"]}]
    assert found["dlbox_home_networks"] == ["192.168.7.0/24"]
    assert (
        found["dlbox_jupyter_access"] == "tunnel" and "conda_environments" not in found and "base_timezone" not in found
    )
    assert problems(found, home.folder) == []


def test_every_other_line_of_the_shipped_inventory_stays(home: Home) -> None:
    shipped = home.owner.read_text().splitlines()
    assert home.run("--yes").returncode == 0
    written = home.owner.read_text().splitlines()
    assert len(written) == len(shipped)
    assert [new for old, new in zip(shipped, written, strict=True) if new != old] == [
        "  - name: ada",
        "dlbox_home_networks: [192.168.7.0/24]",
    ]


def test_answers_are_written_and_the_plan_of_the_gpu_is_shown(home: Home) -> None:
    home.real = True
    (home.inventory / "group_vars/all/facts.yml").write_text(yaml.safe_dump({"dlbox_plan_facts": GPU}))
    person = home.terminal()
    person.answer(ACCOUNT, f"{CTRL_U}grace{ENTER}")
    person.answer(KEYS, f"{DOWN}{SPACE}{ENTER}")  # another one, beside the file
    person.answer("Public key, or the path", f"{LAPTOP.replace('ICHQ', 'ICHQ')}{ENTER}")
    person.answer(NETWORKS, f"{CTRL_U}10.1.2.3/16 fd00::/64{ENTER}")
    person.answer(JUPYTER, f"{DOWN}{ENTER}")
    person.expect("NVIDIA GeForce RTX 4090")
    person.expect("PyTorch")
    person.expect(ENVIRONMENTS)
    person.expect("3.1 GB   PyTorch 2")
    person.answer("on the GPU", f"{DOWN}{DOWN}{DOWN}{SPACE}{DOWN}{SPACE}{ENTER}")  # without tensorflow and keras
    person.expect("the environments download about 3.6 GB")
    person.answer(ZONE, f"{CTRL_U}Europe/Rome{ENTER}")
    person.expect("+dlbox_home_networks: [10.1.0.0/16, 'fd00::/64']")
    person.answer(WRITE)
    assert person.end() == 0
    found = home.variables()
    assert found["dlbox_admins"] == [{"name": "grace", "keys": ["~/.ssh/id_ed25519.pub", LAPTOP]}]
    assert [entry["name"] for entry in found["conda_environments"]] == ["datascience", "pytorch", "jupyter"]
    assert found["dlbox_jupyter_access"] == "home" and found["base_timezone"] == "Europe/Rome"
    assert problems(found, home.folder) == []
    assert "# base_timezone: Europe/Berlin\nbase_timezone: Europe/Rome\n" in home.owner.read_text()


@pytest.mark.parametrize("asked", range(len(QUESTIONS)))
def test_ctrl_c_at_any_question_leaves_everything_as_it_is(home: Home, asked: int) -> None:
    before = home.files()
    person = home.terminal()
    for question in QUESTIONS[:asked]:
        person.answer(question)
    person.answer(QUESTIONS[asked], CTRL_C)
    person.expect("is as it was")
    assert person.end() == 130
    assert home.files() == before


@pytest.mark.parametrize("asked", [0, 6])
def test_a_terminal_that_is_closed_leaves_everything_as_it_is(home: Home, asked: int) -> None:
    before = home.files()
    person = home.terminal()
    for question in QUESTIONS[:asked]:
        person.answer(question)
    person.expect(QUESTIONS[asked])
    assert person.close() != 0
    assert home.files() == before


def test_a_no_at_the_end_writes_nothing(home: Home) -> None:
    before = home.files()
    person = home.terminal()
    for question in QUESTIONS[:-1]:
        person.answer(question)
    person.answer(WRITE, "n")
    assert person.end() == 1 and "nothing was written" in person.screen() and home.files() == before


def test_bad_answers_are_refused_with_what_is_expected(home: Home) -> None:
    person = home.terminal()
    person.answer(ACCOUNT, f"{CTRL_U}root{ENTER}")
    person.answer("root is not let in over ssh; expected an ordinary account", f"{CTRL_U}Ada L{ENTER}")
    person.answer("expected lower-case letters", f"{CTRL_U}ada{ENTER}")
    person.answer(KEYS, f"{SPACE}{ENTER}")
    person.answer("mark at least one", f"{DOWN}{SPACE}{ENTER}")
    person.answer("Public key, or the path", f"ssh-ed25519 AAAA x{ENTER}")
    person.answer("is not a usable public key", f"{CTRL_U}{LAPTOP}{ENTER}")
    person.answer(NETWORKS, f"{CTRL_U}192.168.1.0/33{ENTER}")
    person.answer("expected networks such as 192.168.1.0/24", CTRL_C)
    assert person.end() == 130


def test_a_key_is_made_by_ssh_keygen_where_there_is_none(home: Home) -> None:
    (home.folder / ".ssh/id_ed25519.pub").unlink()
    (home.folder / ".ssh/id_ed25519").write_text("a private key that is nobody else's business")
    person = home.terminal()
    person.answer(ACCOUNT, f"{CTRL_U}nobody-here{ENTER}")
    person.answer("needs a public key to log in with", ENTER)
    person.answer("empty for no passphrase", ENTER)
    person.answer("same passphrase again", ENTER)
    for question in QUESTIONS[2:]:
        person.answer(question)
    assert person.end() == 0
    assert (home.folder / ".ssh/id_ed25519").read_text().startswith("a private key that")
    assert home.variables()["dlbox_admins"][0]["keys"] == ["~/.ssh/id_ed25519_dlbox.pub"]
    assert (home.folder / ".ssh/id_ed25519_dlbox").stat().st_mode & 0o77 == 0
    assert not [name for name, text in home.files().items() if b"PRIVATE" in text]


MINE = """\
---
# Mine.
dlbox_admins:
  - name: ada   # me
    keys: [~/.ssh/id_ed25519.pub]   # the laptop
    shell: /bin/bash
  - {name: grace, keys: [keys/grace.pub]}
dlbox_home_networks: []   # on purpose
own_variable: "{{ 1 + 1 }}"
secret: !vault |
  $ANSIBLE_VAULT;1.1;AES256
  6162
conda_environments:
  - {name: jupyter}
  # the film project
  - name: video
    python: "3.12"
    conda: [ffmpeg]
  - {name: keras, state: absent}
"""


def test_what_a_person_wrote_stays_and_the_defaults_are_what_it_says(home: Home) -> None:
    home.owner.write_text(MINE)
    done = home.run("--yes")
    assert done.returncode == 0 and "nothing to write" in done.stdout, done.stderr
    assert home.owner.read_text() == MINE
    person = home.terminal()
    for question in QUESTIONS[:4]:
        person.answer(question)
    person.answer("your own stay: video", f"{DOWN}{SPACE}{ENTER}")  # datascience too
    person.answer(ZONE)
    person.answer(WRITE)
    assert person.end() == 0
    assert home.owner.read_text() == f"{MINE}  - {{name: datascience}}\n"


@pytest.mark.parametrize(
    ("words", "status", "told"),
    [
        ([], 64, "there is no terminal to ask in. Unattended: ./dlbox init --yes"),
        (["--yes", "--admin", "root"], 64, "--admin: root is not let in over ssh"),
        (["--yes", "--key", "ssh-ed25519 AAAA"], 64, "--key: 'ssh-ed25519 AAAA' is not a usable public key"),
        (["--yes", "--key", f"{LAPTOP} {{{{ lookup('pipe', 'id') }}}}"], 64, "--key: it holds {{, {% or {#"),
        (["--yes", "--home-network", "home"], 64, "--home-network: 'home' does not appear to be"),
        (["--yes", "--home-network", "::/0"], 64, "--home-network: ::/0 is the whole internet"),
        (["--yes", "--timezone", "Mars/Crater"], 64, "--timezone: 'Mars/Crater' is no time zone"),
        (["--yes", "--environment", "tourch"], 64, "--environment tourch: no shipped environment; expected one of"),
        (["--yes", "--jupyter", "internet"], 64, "invalid choice: 'internet'"),
        (["--yes", "two boxes"], 64, "'two boxes' is no name for a host"),
        (["--yes", "bigbox", "--address", "-oProxyCommand=x"], 64, "expected one argument"),
        (["--yes", "bigbox", "--address=-oProxyCommand=x"], 64, "'-oProxyCommand=x' is no address"),
        (["--yes", "-i", "nowhere"], 66, "the inventory nowhere does not exist; the shipped one is inventory/home"),
    ],
)
def test_unattended_says_what_is_missing_or_wrong_in_one_line(
    home: Home, words: list[str], status: int, told: str
) -> None:
    before = home.files()
    done = home.run(*words)
    assert (done.returncode, done.stderr.count("\n")) == (status, 1), done.stderr
    assert told in done.stderr and home.files() == before


def test_unattended_without_any_key_names_what_is_missing(home: Home) -> None:
    (home.folder / ".ssh/id_ed25519.pub").unlink()
    done = home.run("--yes", "--admin", "nobody-here")
    assert done.returncode == 64 and "no public key was found" in done.stderr and "--key FILE" in done.stderr


SHIPPED = """ "{{ lookup('ansible.builtin.env', 'SUDO_USER') }}" """


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("dlbox_admins: [\n", "not YAML"),
        (f"x: &x {{name: {SHIPPED}, keys: []}}\ndlbox_admins: [*x]\n", "cannot be changed"),
        (f"dlbox_admins: &x [{{name: {SHIPPED}, keys: []}}]\nmine: *x\n", "cannot be changed"),
        ("x: &x [*x]\n", "holds itself"),
        ("x: 2026-13-45\n", "not YAML"),
    ],
)
def test_a_file_that_cannot_be_changed_is_named_and_left(home: Home, text: str, told: str) -> None:
    home.owner.write_text(text)
    done = home.run("--yes")
    assert done.returncode == 65 and told in done.stderr and "owner.yml" in done.stderr
    assert home.owner.read_text() == text


@pytest.mark.parametrize(
    "variable",
    [
        "dlbox_admins: [{name: '{{ my_name }}', keys: [ada.pub]}]",
        "dlbox_admins: [{name: ada, keys: '{{ my_keys }}'}]",
        "dlbox_admins: [{name: ada, keys: ['{{ my_key }}']}]",
        "dlbox_admins: [{name: ada, keys: !vault x}]",
        "dlbox_home_networks: ['{{ upstairs }}']",
        "dlbox_home_networks: !vault x",
        "conda_environments: ['{{ mine }}']",
    ],
)
def test_an_expression_is_left_as_it_is(home: Home, variable: str) -> None:
    home.owner.write_text(f"---\n{variable}\n")
    done = home.run("--yes")
    assert done.returncode == 0 and "an expression" in done.stdout, done.stderr
    assert variable in home.owner.read_text()


@pytest.mark.parametrize("text", ["- a", "all: {hosts: localhost}", "all: {children: [a]}"])
def test_hosts_that_are_no_mapping_are_named_and_left(home: Home, text: str) -> None:
    (home.inventory / "hosts.yml").write_text(text)
    done = home.run("--yes")
    assert (done.returncode, done.stderr.count("\n")) == (65, 1) and "hosts.yml" in done.stderr
    assert (home.inventory / "hosts.yml").read_text() == text


# --- a second box -------------------------------------------------------------------------------------------------
BOX = ["bigbox", "--address", "192.0.2.7", "--user", "ada"]


def ready(home: Home) -> None:
    """The inventory has its answers, and the box lets in."""
    assert home.run("--yes").returncode == 0
    (home.folder / "let-in").touch()


def test_a_second_box_after_its_host_key_was_compared(home: Home) -> None:
    ready(home)
    home.real = True
    before = home.owner.read_text()
    person = home.terminal("bigbox")
    person.answer("Address of bigbox", f"{CTRL_U}192.0.2.7{ENTER}")
    person.answer("Account that dlbox logs in as on bigbox", ENTER)
    person.expect(f"{FINGERPRINT}   ssh-ed25519")
    person.expect("ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub")
    person.answer("Is it the same?", "y")
    person.answer(ENVIRONMENTS, f"{DOWN}{DOWN}{DOWN}{SPACE}{ENTER}")
    person.answer(WRITE)
    person.expect("./dlbox up --limit bigbox")
    assert person.end() == 0
    assert (home.folder / ".ssh/known_hosts").read_text() == f"192.0.2.7 {HOST_KEY}\n"
    found = home.variables("bigbox")
    assert (found["ansible_host"], found["ansible_user"]) == ("192.0.2.7", "ada")
    assert "tensorflow" not in [entry["name"] for entry in found["conda_environments"]]
    assert home.owner.read_text() == before and "conda_environments" not in home.variables()
    hosts = (home.inventory / "hosts.yml").read_text()
    assert (
        "    bigbox:\n      ansible_host: 192.0.2.7\n      ansible_user: ada\n" in hosts and "# A second box" in hosts
    )
    again = home.run("--yes", "bigbox")
    assert again.returncode == 0 and "nothing to write" in again.stdout, again.stderr


def test_a_first_box_on_an_inventory_as_shipped_asks_whether_this_machine_too(home: Home) -> None:
    (home.folder / "let-in").touch()
    person = home.terminal(*BOX, "--fingerprint", FINGERPRINT)
    for question in [ACCOUNT, KEYS, NETWORKS, JUPYTER, ENVIRONMENTS, "Provision this machine (localhost) too?", WRITE]:
        person.answer(question)
    assert person.end() == 0
    hosts = yaml.safe_load((home.inventory / "hosts.yml").read_text())
    assert hosts == {"all": {"hosts": {"bigbox": {"ansible_host": "192.0.2.7", "ansible_user": "ada"}}}}
    assert problems(home.variables("bigbox"), home.folder) == []
    # From then on the box is the one to name.
    done = home.run("--yes")
    assert done.returncode == 64 and "./dlbox init bigbox" in done.stderr


def test_a_host_that_a_person_wrote_is_left_where_the_answers_are_the_same(home: Home) -> None:
    ready(home)
    (home.folder / ".ssh/known_hosts").write_text(f"192.0.2.7 {HOST_KEY}\n")
    hosts = """all:
  children:
    mine:
      hosts:
        bigbox: {ansible_host: 192.0.2.7, ansible_user: ada}  # upstairs
        other:
"""
    (home.inventory / "hosts.yml").write_text(hosts)
    for box in ("bigbox", "other"):
        done = home.run("--yes", box, *([] if box == "bigbox" else ["--address", "192.0.2.7"]), "--user", "ada")
        assert done.returncode == 0, done.stderr
    same = "        other: {ansible_host: 192.0.2.7, ansible_user: ada}\n"
    assert (home.inventory / "hosts.yml").read_text() == hosts.replace("        other:\n", same)


def test_sudo_rs_that_asks_for_a_password_gives_way_to_the_classic_one(home: Home) -> None:
    home.command("sudo", '#!/bin/sh\n[ "$1" = --version ] && echo "sudo-rs 0.2.15" >&2 || exit 1\n')
    home.command("sudo.ws", "#!/bin/sh\nexit 1\n")
    assert home.run("--yes").returncode == 0
    assert home.variables()["ansible_become_exe"] == "sudo.ws"


def test_a_login_that_is_no_admin_becomes_one_of_the_box(home: Home) -> None:
    ready(home)
    done = home.run("--yes", "bigbox", "--address", "192.0.2.7", "--user", "grace", "--fingerprint", FINGERPRINT)
    assert done.returncode == 0, done.stderr
    assert [admin["name"] for admin in home.variables("bigbox")["dlbox_admins"]] == ["ada", "grace"]
    assert [admin["name"] for admin in home.variables()["dlbox_admins"]] == ["ada"]
    assert problems(home.variables("bigbox"), home.folder) == []


Prepare = Callable[[Home], object]


@pytest.mark.parametrize(
    ("words", "prepare", "told"),
    [
        ([], lambda home: None, f"is not in known_hosts. Compare it, then give it: --fingerprint {FINGERPRINT}"),
        (["--fingerprint", "SHA256:x"], lambda home: None, f"is SHA256:x, and 192.0.2.7 showed {FINGERPRINT}"),
        (
            ["--fingerprint", FINGERPRINT],
            lambda home: (home.folder / "let-in").unlink(),
            "Let yours in: ssh-copy-id ada@192.0.2.7",
        ),
        ([], lambda home: home.ssh_fails("ssh: No route to host"), "cannot be reached: ssh: No route to host"),
        ([], lambda home: home.ssh_fails("@ REMOTE HOST IDENTIFICATION HAS CHANGED!"), "another host key than the one"),
    ],
    ids=["unknown key", "another key", "no login", "off", "changed key"],
)
def test_a_box_that_is_not_trusted_or_reached_is_not_written(
    home: Home, words: list[str], prepare: Prepare, told: str
) -> None:
    ready(home)
    prepare(home)
    before = home.files()
    done = home.run("--yes", *BOX, *words)
    assert done.returncode == 69 and told in done.stderr, done.stderr
    assert home.files() == before
    trusted = (home.folder / ".ssh/known_hosts").exists()
    assert trusted is (words == ["--fingerprint", FINGERPRINT])


def test_a_no_to_the_fingerprint_trusts_nothing(home: Home) -> None:
    ready(home)
    before = home.files()
    person = home.terminal(*BOX)
    person.answer("Is it the same?", ENTER)
    person.expect("is not trusted. Nothing was written")
    assert person.end() == 69
    assert home.files() == before and not (home.folder / ".ssh/known_hosts").exists()
