#!/usr/bin/env python3
"""Write the inventory from a few questions, each with the detected answer filled in.

    ./dlbox init                                      this machine
    ./dlbox init bigbox --address 192.168.1.20        a second box, over ssh; its host key is compared first
    ./dlbox init --yes --admin ada --key ada.pub      nobody is asked; what cannot be detected has to be given

Nothing but the inventory is changed, and it only by the last answer. Run again, it changes what is answered
differently. Exit status: 0 written, or nothing to write; 1 not written; 64 wrong usage, or an answer is missing;
65 the inventory cannot be read or changed; 66 there is none; 69 the box cannot be reached or trusted; 130 interrupted.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import pwd
import subprocess
import sys
import tempfile
import zoneinfo
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import plan
import questionary
import yaml
from ansible_collections.dlbox.workstation.plugins.plugin_utils.init import detect, first_contact
from ansible_collections.dlbox.workstation.plugins.plugin_utils.init.answers import (
    account_problem,
    address_problem,
    evaluated,
    host_problem,
    key_problem,
    networks,
    networks_problem,
    offers,
    zone_problem,
)
from ansible_collections.dlbox.workstation.plugins.plugin_utils.init.first_contact import Box, ContactError
from ansible_collections.dlbox.workstation.plugins.plugin_utils.init.inventory import (
    Inventory,
    InventoryError,
    environments,
)
from ansible_collections.dlbox.workstation.plugins.plugin_utils.planner.sizes import sizes, total
from ansible_collections.dlbox.workstation.plugins.plugin_utils.planner.text import render
from ansible_collections.dlbox.workstation.plugins.plugin_utils.text import visible

TOP = Path(__file__).resolve().parent.parent
HERE = "localhost"
EXIT_NOT_WRITTEN, EXIT_USAGE, EXIT_DATA, EXIT_NO_INPUT, EXIT_UNAVAILABLE, EXIT_INTERRUPTED = 1, 64, 65, 66, 69, 130
CONSOLE = "ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub"
OTHER, MAKE = "another", "make"
#: In the name of the admin of inventory/home, as it comes: whoever runs dlbox.
SHIPPED_ADMIN = "lookup('ansible.builtin.env', 'SUDO_USER')"


class NoAnswer(Exception):
    """Nobody was asked, and nothing could be detected; the message says what is missing and how to give it."""


# --- who answers --------------------------------------------------------------------------------------------------
@dataclass(frozen=True)
class Choice:
    """One of several answers. `disabled`: why it cannot be chosen."""

    value: str
    title: str
    disabled: str = ""


Check = Callable[[str], str]  # an answer -> what is wrong with it, or nothing


class Person:
    """Somebody at a terminal. Ctrl-C raises KeyboardInterrupt, a closed input EOFError."""

    def text(self, question: str, default: str, check: Check, option: str = "", words: Sequence[str] = ()) -> str:
        """A line; `words` are offered while typing. option: what gives the answer unasked."""

        def validate(answer: str) -> bool | str:
            return check(answer.strip()) or True

        if words:
            asked = questionary.autocomplete(
                question, list(words), default=default, validate=validate, match_middle=True, ignore_case=True
            )
        else:
            asked = questionary.text(question, default=default, validate=validate)
        return str(asked.unsafe_ask()).strip()

    def one(self, question: str, choices: Sequence[Choice], default: str) -> str:
        """One of the choices."""
        return str(questionary.select(question, _choices(choices, []), default=default).unsafe_ask())

    def several(self, question: str, choices: Sequence[Choice], default: Sequence[str], check: Check) -> list[str]:
        """Any of the choices; `check` gets them joined by blanks."""
        return list(
            questionary.checkbox(
                question,
                _choices(choices, default),
                validate=lambda answer: check(" ".join(answer)) or True,
                instruction="(space marks, enter takes the marked)",
            ).unsafe_ask()
        )

    def confirm(self, question: str, default: bool) -> bool:
        """Yes or no."""
        return bool(questionary.confirm(question, default=default).unsafe_ask())


class Nobody(Person):
    """With --yes: the default is the answer; one that is no answer raises NoAnswer."""

    def text(self, question: str, default: str, check: Check, option: str = "", words: Sequence[str] = ()) -> str:
        """The default, where it passes the check."""
        if problem := check(default):
            raise NoAnswer(f"{question.rstrip(':')}: {problem}. Give {option}")
        return default

    def one(self, question: str, choices: Sequence[Choice], default: str) -> str:
        """The default."""
        return default

    def several(self, question: str, choices: Sequence[Choice], default: Sequence[str], check: Check) -> list[str]:
        """The default, where it passes the check."""
        if problem := check(" ".join(default)):
            raise NoAnswer(f"{question.rstrip(':')}: {problem}")
        return list(default)

    def confirm(self, question: str, default: bool) -> bool:
        """The default."""
        return default


def _choices(choices: Sequence[Choice], checked: Sequence[str]) -> list[questionary.Choice]:
    return [
        questionary.Choice(one.title, one.value, disabled=one.disabled or None, checked=one.value in checked)
        for one in choices
    ]


# --- the questions ------------------------------------------------------------------------------------------------
class Init:
    """One run: the inventory, who answers, and the answers that were given as options."""

    def __init__(self, args: argparse.Namespace, person: Person) -> None:
        """Read the inventory; raises InventoryError."""
        self.args, self.person = args, person
        self.inventory = Inventory(args.inventory)
        hosts = self.inventory.hosts()
        self.host: str = args.host or HERE
        if not args.host and HERE not in hosts and hosts:
            raise NoAnswer(
                f"{args.inventory} has {', '.join(hosts)}, and not this machine. Name the one: ./dlbox init "
                f"{next(iter(hosts))}; or this one too: ./dlbox init {HERE}"
            )
        if problem := host_problem(self.host):
            raise NoAnswer(problem)
        self.known = self.host in hosts
        local = {"ansible_connection": "local"} if self.host == HERE and not self.known else {}
        self.written = dict(hosts.get(self.host) or {})
        self.variables: dict[str, Any] = dict(self.written or local)
        admins = self.inventory.value("dlbox_admins", self.host)
        self.admins: Any = admins
        # As shipped, the admin is whoever runs dlbox; from then on the inventory's answers are the ones to begin with.
        first = admins[0] if isinstance(admins, list) and admins and isinstance(admins[0], dict) else {}
        self.fresh = admins is None or admins == [] or SHIPPED_ADMIN in str(first.get("name", ""))
        self.first = first

    def ask(self) -> None:
        """Ask everything; the answers are in the inventory's texts then, and nothing is written."""
        if self.host == HERE:
            self.variables |= self._become(None)
            self.inventory.set_host(HERE, self.variables)
            self._owner()
            found = self._plan()
            self._environments(found)
            self._time_zone()
            return
        box = self._first_contact()
        if self.fresh:
            self._owner(box.user)
        else:
            self._admins_of(box)
        found = self._plan()
        self._environments(found)
        if self.fresh and HERE in self.inventory.hosts():
            self._this_machine_too()

    # --- owner
    def _owner(self, user: str = "") -> None:
        self._account_and_keys(user)
        self._networks()
        self._jupyter()

    def _account_and_keys(self, user: str) -> None:
        if not self.fresh and (not self.first or "{{" in str(self.first.get("name", ""))):
            say("dlbox_admins is an expression: left as it is")
            return
        before = "" if self.fresh else str(self.first.get("name", ""))
        name = self.args.admin or self.person.text(
            "Account that administers it, and logs in over ssh:",
            before or user or detect.account(os.environ, pwd.getpwall()),
            account_problem,
            "--admin",
        )
        if problem := account_problem(name):
            raise NoAnswer(f"--admin: {problem}")
        before_keys = [] if self.fresh else self.first.get("keys") or []
        if not _plain_list(before_keys) and not self.args.key:
            say(f"the keys of {before} are an expression: dlbox_admins is left as it is")
            return
        self.inventory.set_admin(name, self._keys(name, before_keys), self.host)

    def _keys(self, name: str, before: Sequence[str]) -> list[str]:
        if self.args.key:
            for entry in self.args.key:
                if problem := key_problem(entry):
                    raise NoAnswer(f"--key: {problem}")
            return list(self.args.key)
        home = detect.home_of(name) if self.host == HERE else None
        found = detect.public_keys([Path.home(), *([home] if home and home != Path.home() else [])])
        entries = {key.entry for key in found}
        choices = [
            Choice(entry, entry if len(entry) < 60 else f"...{entry[-50:]}") for entry in before if entry not in entries
        ]
        choices += [Choice(key.entry, key.title, key.problem) for key in found]
        if not [one for one in choices if not one.disabled]:
            return [self._first_key(name)]
        chosen = self.person.several(
            f"Public keys that let {name} in:",
            [*choices, Choice(OTHER, "another one: its line, or the path of its file")],
            list(before) or [key.entry for key in found if not key.problem],
            lambda answer: "" if answer else "without a key nobody could log in; mark at least one",
        )
        return [self._typed_key() if entry == OTHER else entry for entry in chosen]

    def _typed_key(self) -> str:
        return self.person.text("Public key, or the path of its file:", "", key_problem)

    def _first_key(self, name: str) -> str:
        file = next(
            (path for path in _new_key_files() if not path.exists() and not path.with_suffix(".pub").exists()), None
        )
        make = [Choice(MAKE, f"make one now: {_short(file)}")] if file else []
        typed = Choice(OTHER, "give one: its line from the computer that you log in from, or the path of its file")
        missing = (
            "no public key was found in ~/.ssh, in the ssh agent or in an authorized_keys. Make one with ssh-keygen "
            "-t ed25519, or give one: --key FILE"
        )
        if isinstance(self.person, Nobody):
            raise NoAnswer(missing)
        if (
            self.person.one(
                f"{name} needs a public key to log in with, and there is none here:",
                [*make, typed],
                (make or [typed])[0].value,
            )
            == OTHER
        ):
            return self._typed_key()
        assert file is not None
        file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        say("ssh-keygen asks for a passphrase, which protects the key; an empty one is possible")
        if subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-f", str(file)], check=False).returncode:
            raise NoAnswer("ssh-keygen made no key; see above")
        return f"{_short(file)}.pub"

    def _networks(self) -> None:
        before = self.inventory.value("dlbox_home_networks", self.host)
        if not _plain_list(before or []):
            say("dlbox_home_networks is an expression: left as it is")
            return
        default = detect.home_networks() if self.fresh and not before else [str(one) for one in before or []]
        if self.args.home_network is not None:
            answer = " ".join(self.args.home_network)
            if problem := networks_problem(answer):
                raise NoAnswer(f"--home-network: {problem}")
        else:
            answer = self.person.text(
                "Networks that count as home (none: leave empty):",
                ", ".join(default),
                networks_problem,
                "--home-network",
            )
        self.inventory.set("dlbox_home_networks", networks(answer) or [], self.host)

    def _jupyter(self) -> None:
        before = self.inventory.value("dlbox_jupyter_access", self.host) or "tunnel"
        if before not in ("tunnel", "home"):
            say("dlbox_jupyter_access is an expression: left as it is")
            return
        home = self.inventory.value("dlbox_home_networks", self.host)
        nobody = "" if home else "no network counts as home"
        answer = self.args.jupyter or self.person.one(
            "Where JupyterLab answers:",
            [
                Choice("tunnel", "on the machine itself only; from elsewhere through an ssh tunnel"),
                Choice("home", "in the home networks too, with TLS and a password", nobody),
            ],
            before if home else "tunnel",
        )
        if answer == "home" and nobody:
            raise NoAnswer(f"--jupyter home: {nobody}; give --home-network")
        if answer != before:
            self.inventory.set("dlbox_jupyter_access", answer, self.host)

    def _time_zone(self) -> None:
        before = self.inventory.value("base_timezone", self.host)
        zone = detect.time_zone()
        if before and "{{" in str(before):
            say("base_timezone is an expression: left as it is")
            return
        answer = self.args.timezone or self.person.text(
            "Time zone:", str(before or zone), zone_problem, "--timezone", sorted(zoneinfo.available_timezones())
        )
        if problem := zone_problem(answer):
            raise NoAnswer(f"--timezone: {problem}")
        if answer != (before or zone):
            self.inventory.set("base_timezone", answer, self.host)

    # --- plan and environments
    def _plan(self) -> dict[str, Any]:
        """What fits the host, by the way that `./dlbox plan` takes; empty where it cannot be told yet."""
        say(f"looking at {'this machine' if self.host == HERE else self.host}")
        with tempfile.TemporaryDirectory(prefix="dlbox-init-") as folder:
            hosts = Path(folder) / "hosts.yml"
            # The inventory says the rest, vault-encrypted values among it.
            new = {name: value for name, value in self.variables.items() if self.written.get(name) != value}
            hosts.write_text(yaml.safe_dump({"all": {"hosts": {self.host: new}}}))
            words = ["-i", str(self.inventory.folder.resolve()), "-i", str(hosts), "--limit", self.host]
            plans, _ = plan.inventory(plan.parser().parse_args(words))
        if not plans:
            say("it could not be planned, see above; `./dlbox plan` says more")
            return {}
        found: dict[str, Any] = plans[0]
        print(visible(render(found)), flush=True)
        return found

    def _environments(self, found: dict[str, Any]) -> None:
        before = self.inventory.value("conda_environments", self.host)
        default = yaml.safe_load((TOP / "roles/conda/defaults/main.yml").read_text(encoding="utf-8"))[
            "conda_environments"
        ]
        entries = default if before is None else before
        if not isinstance(entries, list) or not all(
            isinstance(entry, dict) and isinstance(entry.get("name"), str) for entry in entries
        ):
            say("conda_environments is an expression: left as it is")
            return
        shipped = yaml.safe_load((TOP / "roles/conda/vars/main.yml").read_text(encoding="utf-8"))["__conda_definitions"]
        del shipped["base"]
        offered = offers(entries, before is not None, shipped, found)
        present = [offer.name for offer in offered if offer.present]
        own = [
            str(entry.get("name")) for entry in entries if isinstance(entry, dict) and entry.get("name") not in shipped
        ]
        if self.args.environment:
            wanted = list(self.args.environment)
            if unknown := [name for name in wanted if name not in shipped]:
                raise NoAnswer(
                    f"--environment {unknown[0]}: no shipped environment; expected one of {', '.join(shipped)}"
                )
        else:
            stay = f"; your own stay: {', '.join(own)}" if own else ""
            wanted = self.person.several(
                f"Environments to make, with what they download{stay}:",
                [Choice(offer.name, offer.title, offer.refused) for offer in offered],
                present,
                lambda _: "",
            )
        size = total(sizes([{"name": "base"}, *({"name": name} for name in wanted)], found))
        say(
            f"the environments download about {size.download / 1000:.1f} GB, and take {size.disk / 1000:.1f} GB of disk"
        )
        if set(wanted) != {entry["name"] for entry in default} if before is None else set(wanted) != set(present):
            several = len({*self.inventory.hosts(), self.host}) > 1
            self.inventory.set("conda_environments", environments(entries, wanted, shipped), self.host, own=several)

    # --- another box
    def _first_contact(self) -> Box:
        """Reach the box, compare its host key, be let in; put it into hosts.yml."""
        known = str(self.variables.get("ansible_host") or self.host)
        settings = first_contact.settings(known)
        resolved = "ansible_host" in self.variables or settings.get("hostname", known) != known or _resolves(known)
        address = self.args.address or self.person.text(
            f"Address of {self.host}:",
            known if resolved else "",
            address_problem,
            "--address",
        )
        if problem := address_problem(address):
            raise NoAnswer(f"--address: {problem}")
        settings = first_contact.settings(address)
        before = str(self.variables.get("ansible_user") or "")
        admin = "" if self.fresh else str(self.first.get("name", ""))
        configured = settings.get("user", "")
        # What ~/.ssh/config says of this box, else the admin of the other ones, else whoever this is.
        here = detect.account(os.environ, pwd.getpwall())
        own = configured if configured not in ("root", pwd.getpwuid(os.geteuid()).pw_name) else admin or here
        user = self.args.user or self.person.text(
            f"Account that dlbox logs in as on {self.host}:", before or own, account_problem, "--user"
        )
        if problem := account_problem(user):
            raise NoAnswer(f"--user: {problem}")
        port = self.variables.get("ansible_port")
        if port and not str(port).isdecimal():
            raise InventoryError(
                f"{self.args.inventory}: ansible_port of {self.host} is {port!r}, expected a number: the first "
                f"connection is ssh's, before Ansible evaluates anything"
            )
        box = Box(address, user, int(port) if port else None)
        answer = first_contact.connect(box)
        if not answer.known:
            self._compare_host_key(box, settings)
            answer = first_contact.connect(box)
        if not answer.let_in:
            self._let_in(box)
        if address != known or address != self.host:
            self.variables["ansible_host"] = address
        if before or not self.known or user != configured:
            self.variables["ansible_user"] = user
        self.variables |= self._become(box)
        self.inventory.set_host(self.host, self.variables)
        return box

    def _become(self, box: Box | None) -> dict[str, str]:
        """How root's rights are got, where sudo alone would not do."""
        if "ansible_become_exe" in self.variables or not first_contact.classic_sudo(box):
            return {}
        say("sudo is sudo-rs here, whose password prompt Ansible does not understand: taking the classic sudo.ws")
        return {"ansible_become_exe": "sudo.ws"}

    def _compare_host_key(self, box: Box, settings: dict[str, str]) -> None:
        line, key = first_contact.fetch_host_key(box)
        print(
            f"\nThe host key of {self.host} ({box.address}) is not known here. It shows:\n\n"
            f"    {key.fingerprint}   {key.type}\n\n"
            f"At its console, or wherever else you trust, it shows the same only if this is the box:\n\n"
            f"    {CONSOLE.replace('ed25519', _host_key_kind(key.type))}\n",
            flush=True,
        )
        if self.args.fingerprint:
            if self.args.fingerprint != key.fingerprint:
                raise ContactError(
                    f"--fingerprint is {self.args.fingerprint}, and {box.address} showed {key.fingerprint}: this is "
                    f"not that box, or another of its keys. Nothing was trusted"
                )
        elif isinstance(self.person, Nobody):
            raise ContactError(
                f"the host key of {box.address} is not in known_hosts. Compare it, then give it: "
                f"--fingerprint {key.fingerprint}"
            )
        elif not self.person.confirm("Is it the same?", False):
            raise ContactError(f"the host key of {box.address} is not trusted. Nothing was written")
        first_contact.trust(
            line, Path(settings.get("userknownhostsfile", "~/.ssh/known_hosts").split()[0]).expanduser()
        )

    def _let_in(self, box: Box) -> None:
        words = ["ssh-copy-id", *(["-p", str(box.port)] if box.port else []), f"{box.user}@{box.address}"]
        if (
            not isinstance(self.person, Nobody)
            and detect.key_files(Path.home())
            and self.person.confirm(
                f"{self.host} does not let you in with a key yet. Copy yours there now (ssh-copy-id)?", True
            )
        ):
            subprocess.run(words, check=False)
            if first_contact.connect(box).let_in:
                return
        raise ContactError(
            f"{box.address} does not let you in as {box.user} with a key. Let yours in: {' '.join(words)}; a key with "
            f"a passphrase has to be in the agent: ssh-add. Nothing was written"
        )

    def _admins_of(self, box: Box) -> None:
        """Whoever dlbox logs in as has to be an admin, or the run would shut it out."""
        if not isinstance(self.admins, list):
            say("dlbox_admins is an expression: left as it is")
            return
        names = [str(admin.get("name")) for admin in self.admins if isinstance(admin, dict)]
        if box.user in names:
            return
        chosen = self.person.several(
            f"Admins of {self.host}; {box.user} has to be one, because dlbox logs in as it:",
            [*(Choice(name, name) for name in names), Choice(box.user, box.user)],
            [*names, box.user],
            lambda answer: "" if box.user in answer.split() else f"without {box.user} dlbox could not log in any more",
        )
        kept = [admin for admin in self.admins if admin.get("name") in chosen]
        self.inventory.set(
            "dlbox_admins", [*kept, {"name": box.user, "keys": self._keys(box.user, [])}], self.host, own=True
        )

    def _this_machine_too(self) -> None:
        if isinstance(self.person, Nobody):
            say(f"{HERE} stays in {self.inventory.folder}: ./dlbox up --limit {self.host} leaves this machine alone")
        elif not self.person.confirm("Provision this machine (localhost) too?", False):
            self.inventory.remove_host(HERE)


def _new_key_files() -> list[Path]:
    return [Path.home() / ".ssh" / name for name in ("id_ed25519", "id_ed25519_dlbox")]


def _short(path: Path | None) -> str:
    return f"~/{path.relative_to(Path.home())}" if path else ""


def _plain_list(value: Any) -> bool:
    """Whether a value is a list of texts as they stand, without an expression or an encrypted one."""
    return isinstance(value, list) and all(isinstance(item, str) and not evaluated(item) for item in value)


def _host_key_kind(key_type: str) -> str:
    return "ecdsa" if key_type.startswith("ecdsa") else key_type.removeprefix("ssh-")


def _resolves(name: str) -> bool:
    return bool(detect.output("getent", "ahosts", name))


# --- the program --------------------------------------------------------------------------------------------------
def say(text: str) -> None:
    """Print a line about what is being done."""
    print(f"dlbox init: {visible(text)}", flush=True)


class Parser(argparse.ArgumentParser):
    """An argument parser that exits with 64 on wrong usage."""

    def error(self, message: str) -> Any:
        """Print the message, exit 64."""
        complain(message)
        self.exit(EXIT_USAGE)


def complain(message: object) -> None:
    """Print one line to standard error."""
    with contextlib.suppress(OSError):
        print(f"dlbox init: {visible(' '.join(str(message).split()))}", file=sys.stderr, flush=True)


def parser() -> Parser:
    """Return the command line's parser."""
    result = Parser(
        prog="dlbox init",
        description=(__doc__ or "").splitlines()[0],
        epilog="What is given as an option is not asked.",
        allow_abbrev=False,
    )
    result.add_argument("host", nargs="?", help="name of a box for the inventory (default: this machine, localhost)")
    result.add_argument("-y", "--yes", action="store_true", help="ask nothing, take what is detected")
    result.add_argument(
        "-i",
        "--inventory",
        type=Path,
        default=TOP / "inventory/home",
        metavar="FOLDER",
        help="inventory (default: inventory/home)",
    )
    result.add_argument("--admin", metavar="NAME", help="account that administers the machine")
    result.add_argument(
        "--key",
        action="append",
        metavar="KEY",
        help="its public key: the line, or the path of the file; repeat for several",
    )
    result.add_argument(
        "--home-network", action="append", metavar="CIDR", help="network that counts as home; repeat for several"
    )
    result.add_argument("--jupyter", choices=("tunnel", "home"), help="where JupyterLab answers")
    result.add_argument(
        "--environment", action="append", metavar="NAME", help="environment to make; repeat for several"
    )
    result.add_argument("--timezone", metavar="ZONE", help="such as Europe/Berlin")
    box = result.add_argument_group("another box")
    box.add_argument("--address", help="where ssh reaches it")
    box.add_argument("--user", metavar="NAME", help="account that dlbox logs in as there")
    box.add_argument("--fingerprint", metavar="SHA256:...", help="of its host key, as its console shows it")
    return result


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line."""
    args = parser().parse_args(argv)
    person: Person = Nobody() if args.yes else Person()
    if not args.yes and not (sys.stdin.isatty() and sys.stdout.isatty()):
        complain("it asks questions, and there is no terminal to ask in. Unattended: ./dlbox init --yes")
        return EXIT_USAGE
    shown = os.path.relpath(args.inventory)
    try:
        args.inventory = Path(shown)
        if not args.inventory.is_dir():
            complain(f"the inventory {shown} does not exist; the shipped one is inventory/home")
            return EXIT_NO_INPUT
        run = Init(args, person)
        if not args.yes:
            about = "this machine" if run.host == HERE else run.host
            print(
                f"A few questions about {about}. Enter takes the answer that is shown; Ctrl-C leaves {shown} as "
                f"it is.\n",
                flush=True,
            )
        run.ask()
        diff = run.inventory.diff()
        if not diff:
            say(f"{shown} says all of that already; nothing to write")
            return 0
        print(f"\n{visible(diff)}", flush=True)
        if not person.confirm(f"Write this to {shown}?", True):
            complain("nothing was written")
            return EXIT_NOT_WRITTEN
        run.inventory.write()
        limit = "" if run.host == HERE else f" --limit {run.host}"
        with contextlib.suppress(BrokenPipeError):  # nobody reads that it is
            say(f"written. Next: ./dlbox check{limit} shows what would change, ./dlbox up{limit} changes it")
        return 0
    except NoAnswer as error:
        complain(error)
        return EXIT_USAGE
    except InventoryError as error:
        complain(error)
        return EXIT_DATA
    except ContactError as error:
        complain(error)
        return EXIT_UNAVAILABLE
    except (KeyboardInterrupt, EOFError):
        complain(f"interrupted; {shown} is as it was")
        return EXIT_INTERRUPTED
    except OSError as error:
        complain(f"{error}; {shown} is as it was")
        return EXIT_DATA


if __name__ == "__main__":
    raise SystemExit(main())
