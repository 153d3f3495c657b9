"""The guard's states and what leads from one to the next.

    none -> pending -> confirmed | released | rolling-back -> rolled-back | partly

A rollback that is not done is done again, by whichever of these comes first: the service, the timer that starts it
anew, the boot unit, a command. Each holds the lock while it works, and each step may be interrupted and repeated.
"""

from __future__ import annotations

import contextlib
import dataclasses
import json
import os
import socket
import syslog
import time
from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path
from typing import Any

from . import accounts, files, kernel_rules, people, sessions, units, window
from .commands import run
from .store import RefusedError, Store, locked, write_durably

SERVICE, TIMER, BOOT = "dlbox-guard.service", "dlbox-guard.timer", "dlbox-guard-boot.service"
UNFINISHED = ("pending", "rolling-back", "partly")
NOT_DONE = "the changes were not done within {:.0f} s (access_guard_window)"
NOT_CONFIRMED = "no new login confirmed the change within {:.0f} s after it was made"
RESTARTED = "the machine was restarted before a new login confirmed the change"
# A pass may uncover what the next one has to do, such as rules that a service takes with it when it is stopped.
PASSES = 3
EVERYTHING = "everything"  # what is left to do where the snapshot cannot be read


@dataclasses.dataclass(frozen=True)
class Step:
    """One thing that differs from the snapshot, and how it is put back; the least ``rank`` is first."""

    name: str
    rank: int
    kind: str
    restore: Callable[[], None]


def rank_of(path: str) -> int:
    """What decides whether anybody reaches the host is put back first: firewall and sshd, then sudo and PAM."""
    words = path.split("/")
    if any(
        word.startswith(("ufw", "nftables", "iptables", "firewalld", "fail2ban", "ssh", "hosts.")) for word in words
    ):
        return 1
    return 2 if any(word.startswith(("sudoers", "pam.d", "security")) for word in words) else 3


def seconds_since_boot() -> float:
    """A clock that nobody sets, and that goes on while the machine sleeps."""
    return time.clock_gettime(time.CLOCK_BOOTTIME)


def ticks_since_boot() -> int:
    """The same in the unit of process starts."""
    return int(seconds_since_boot() * os.sysconf("SC_CLK_TCK"))


def this_boot() -> str:
    """What changes with each start of the machine, or of the container that it is."""
    init = sessions.read_process(1)
    return f"{Path('/proc/sys/kernel/random/boot_id').read_text().strip()} {init.start_ticks if init else 0}"


class Guard:
    """One change of remote access, from arming to its end."""

    def __init__(self, state_dir: Path, run: str = "") -> None:
        """With its state in a directory that root alone enters; ``run``: what `arm` gave the run that asks."""
        self.dir = state_dir
        self.run = run
        self.store = Store(state_dir / "state")
        self.snapshot_file = state_dir / "snapshot.json"
        self._snapshot: dict[str, Any] | None = None

    # --- state ------------------------------------------------------------------------------------------------------

    def state(self) -> dict[str, Any]:
        """The record of the last change. One that is damaged while a snapshot is there belongs to an unfinished one."""
        if record := self.store.read():
            return record
        if self.snapshot_file.exists():
            boot = self.snapshot()["boot"]
            return {"phase": "pending", "boot": boot, "deadline": 0.0, "reason": "the guard's state was damaged"}
        return {"phase": "none"}

    def phase(self) -> str:
        """One word for how the last change stands."""
        return str(self.state()["phase"])

    def lock(self, seconds: float = 60) -> contextlib.AbstractContextManager[None]:
        """Keep other commands out; see `store.locked`."""
        self.dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.dir.chmod(0o700)
        return locked(self.dir / "lock", seconds)

    def snapshot(self) -> dict[str, Any]:
        """What was, from arming."""
        if self._snapshot is None:
            self._snapshot = dict(json.loads(self.snapshot_file.read_text()))
        return self._snapshot

    def log(self, message: str) -> None:
        """Say it here, in the journal, and in a file where there is space for it."""
        print(message, flush=True)
        with contextlib.suppress(OSError):
            syslog.openlog("dlbox-guard")
            syslog.syslog(message)
        with contextlib.suppress(OSError), (self.dir / "log").open("a") as log:
            log.write(f"{time.strftime('%Y-%m-%dT%H:%M:%SZ', time.gmtime())} {message}\n")

    def _pending(self) -> dict[str, Any]:
        state = self.state()
        if not self.is_ours(state):
            raise RefusedError(3, "the window of this run has ended, and another run has armed the guard since")
        if state["phase"] != "pending":
            raise RefusedError(3, f"nothing is pending; the last change is {state['phase']}")
        return state

    def is_ours(self, state: dict[str, Any]) -> bool:
        """Whether the last change is that of the run which asks; by hand anybody asks for any."""
        return self.run in ("", state.get("python", self.run))

    # --- arming -----------------------------------------------------------------------------------------------------

    def arm(self, request: dict[str, Any]) -> dict[str, Any]:
        """Take the snapshot and start what undoes the change; how the change has to be confirmed.

        Raises:
            RefusedError: something declared could not be restored later, or another
                change is unfinished. Nothing was changed.
        """
        if self.phase() in UNFINISHED:
            raise RefusedError(
                75, f"another change of remote access is {self.phase()}: wait for its end, or run: dlbox-guard rollback"
            )
        declared = sorted(set(request["paths"]) | set(units.links(request["units"])))
        entries, problems = files.survey(declared, files.mounts(), files.homes())
        if problems:
            raise RefusedError(
                65, "Nothing was changed. What could not be restored is not changed:\n" + "\n".join(problems)
            )
        situation = people.assess(os.getpid(), request["controller"], request["admins"])
        before: dict[str, Any] = {
            "boot": this_boot(),
            "units": units.activity(request["units"]),
            "rules": kernel_rules.read(),
            "situation": dataclasses.asdict(situation),
            "accounts": dict.fromkeys(request["accounts"]),
            "files": files.Files.record(entries, declared, self.dir),
        }
        self._forget()
        files.discard(before["files"]["roots"], failed=True)
        self._snapshot = before
        try:
            files.Files(before["files"], self.dir).reserve()
            before["accounts"] = accounts.read(request["accounts"])
            write_durably(self.snapshot_file, json.dumps(before).encode())
            seconds = float(request["window"])
            reason = NOT_DONE.format(seconds)
            self.store.create(
                {"phase": "pending", "boot": this_boot(), "deadline": seconds_since_boot() + seconds, "reason": reason,
                 "mark": ticks_since_boot(), "python": (python := window.begin()),
                 "uids": sorted({process.uid for process in sessions.ancestors(os.getpid())})}
            )  # fmt: skip
            self._start_units()
        except (OSError, RefusedError) as error:
            window.close()
            self.store.path.unlink(missing_ok=True)
            self._disarm()
            raise RefusedError(65, f"Nothing was changed: the guard cannot be armed: {error}") from error
        self.log(f"armed: rollback in {seconds:.0f} s unless a new login confirms the change")
        return {**dataclasses.asdict(situation), "python": python}

    def _start_units(self) -> None:
        run(["systemctl", "enable", "--quiet", SERVICE, TIMER, BOOT])
        run(["systemctl", "start", TIMER, SERVICE])
        code, out = run(["systemctl", "is-active", TIMER, SERVICE])
        enabled, _ = run(["systemctl", "is-enabled", "--quiet", BOOT])
        if code or enabled:
            raise RefusedError(
                65, f"its units do not run: {out.split()}; see: systemctl status {SERVICE} {TIMER} {BOOT}"
            )

    def _stop_units(self) -> None:
        """Without waiting: the service itself may be what runs this."""
        run(["systemctl", "disable", "--quiet", SERVICE, TIMER, BOOT])
        run(["systemctl", "stop", "--no-block", TIMER, SERVICE])

    def _forget(self) -> None:
        """Remove what a snapshot needs: the replacements first, then itself."""
        roots = [str(self.dir)]
        with contextlib.suppress(OSError, ValueError, KeyError):
            accounts.discard(list(self.snapshot()["accounts"]))
            roots += self.snapshot()["files"]["roots"]
        files.discard(roots)
        self.snapshot_file.unlink(missing_ok=True)
        self._snapshot = None

    def _disarm(self) -> None:
        self._forget()
        self._stop_units()

    def _end(self, phase: str, why: str, **more: Any) -> None:
        """Record the outcome, then end everything that was armed."""
        window.close()
        self.store.write({**self.state(), "phase": phase, "why": why, **more})
        self.log(f"{phase}: {why}")
        self._disarm()

    # --- while it is pending ----------------------------------------------------------------------------------------

    def extend(self, seconds: float) -> None:
        """Give what follows its own time."""
        self._set_deadline(self._pending(), seconds, NOT_DONE)

    def is_busy(self) -> bool:
        """Whether tasks of the window still run."""
        state = self._pending()
        return "python" in state and window.is_busy(state["python"], state["uids"])

    def applied(self, tail: float) -> str:
        """The changes are made: from now on a login can confirm them. Without any change the guard lets go."""
        state = self._pending()
        window.close()
        if not self.steps():
            self._end("released", "nothing changed")
            return "released"
        state["mark"] = ticks_since_boot()
        self._set_deadline(state, tail, NOT_CONFIRMED)
        self.log(f"applied: rollback in {tail:.0f} s unless a new login confirms the change")
        return "pending"

    def _set_deadline(self, state: dict[str, Any], seconds: float, reason: str) -> None:
        state["deadline"] = seconds_since_boot() + seconds
        state["reason"] = reason.format(seconds)
        self.store.write(state)

    def situation(self) -> people.Situation:
        """Who was connected when the guard was armed."""
        return people.Situation(**self.snapshot()["situation"])

    def confirm(self) -> None:
        """Keep the changes: this very process runs in a login that proves that people get in."""
        state = self._pending()
        connection = sessions.connection_around(os.getpid(), sessions.live_ssh_connections())
        if refusal := people.objection(connection, int(state["mark"]), self.situation()):
            raise RefusedError(refusal[0], f"refused: {refusal[1]}")
        if connection is None:
            raise AssertionError("objection() lets nobody pass without a connection")
        self._confirmed_by(connection, state)

    def _confirmed_by(self, connection: sessions.SshConnection, state: dict[str, Any]) -> None:
        delay = (connection.start_ticks - int(state["mark"])) * 1000 // os.sysconf("SC_CLK_TCK")
        self._end(
            "confirmed",
            f"by a login of {connection.account} from {connection.remote_address} {delay} ms after the change",
        )

    def confirm_when_seen(self) -> bool:
        """Keep the changes where somebody is logged in who proves that people get in."""
        state, situation = self._pending(), self.situation()
        live = sessions.live_ssh_connections()
        ours = sessions.connection_around(os.getpid(), live)
        for connection in live:
            if connection != ours and not people.objection(connection, int(state["mark"]), situation):
                self._confirmed_by(connection, state)
                return True
        return False

    def confirm_at_console(self, port: int) -> None:
        """Keep the changes for the person at the console, where nobody was connected over ssh. sshd has to serve.

        Raises:
            RefusedError: somebody was connected, or sshd ran before and does not answer now.
        """
        self._pending()
        situation = self.situation()
        if situation.confirmed_by != people.CONSOLE:
            raise RefusedError(
                7, f"refused: {', '.join(situation.people) or 'the run'} came over ssh; a new login has to confirm"
            )
        before = self.snapshot()["units"]
        if any(before.get(unit) for unit in units.SSHD):
            for _ in range(5):
                if answers_as_sshd(port):
                    break
                time.sleep(1)
            else:
                raise RefusedError(6, f"refused: sshd ran before, and does not answer on port {port} now")
            proof = f"sshd answers on port {port}; a login was not tried"
        else:
            proof = "nobody is connected over ssh, and sshd was not running before"
        self._end("confirmed", f"by the person at the console: {proof}")

    # --- rolling back -----------------------------------------------------------------------------------------------

    def steps(self, *, early: bool = False, kernel: bool = True) -> list[Step]:
        """What differs from the snapshot. ``early`` in the boot: of files alone, as nothing else is up yet."""
        before = self.snapshot()
        declared = files.Files(before["files"], self.dir)
        declared.declared += [path for path in units.links(list(before["units"])) if path not in declared.declared]
        found = [Step(p, rank_of(p), "file", partial(declared.put_back, p)) for p in declared.changed()]
        found += [Step(p, 10 + rank_of(p), "file", partial(declared.move_away, p)) for p in declared.extra()]
        if early:
            return sorted(found, key=lambda step: step.rank)
        rules, then, active = before["rules"], before["accounts"], before["units"]
        for tool in kernel_rules.differing(rules, kernel_rules.read()) if kernel else []:
            restore = partial(kernel_rules.restore, tool, rules)
            found.append(Step(f"firewall rules in the kernel ({tool})", 0, "kernel", restore))
        for name, field in accounts.changed(then):
            restore = partial(declared.with_room, partial(accounts.put_back, name, field, then))
            found.append(Step(f"{field} of {name}", 4, "account", restore))
        for unit in units.differing(active):
            if self._is_of_this_boot(unit):
                continue
            found.append(Step(f"unit {unit}", 20, "unit", partial(units.restore, unit, active[unit])))
        return sorted(found, key=lambda step: step.rank)

    def _is_of_this_boot(self, unit: str) -> bool:
        """Whether a restart decided about a unit that loads rules, by links that the window did not change.

        ufw may well have been on while its unit was not active. To stop the unit then would open the firewall.
        """
        state = self.state()
        if unit not in units.RULE_LOADERS or state.get("boot") == this_boot():
            return False
        return all(Path(name).name != unit for name in state.get("reverted", []))

    def rollback(self, reason: str) -> None:
        """Begin a rollback, and do what can be done of it now. That of another run is left alone."""
        state = self.state()
        if not self.is_ours(state):
            return
        if state["phase"] == "pending":
            self._begin(state, reason, early=False)
        if state["phase"] in UNFINISHED:
            self.work()

    def _begin(self, state: dict[str, Any], reason: str, *, early: bool) -> None:
        """Let the run change nothing any more, then record what will be put back."""
        window.close()
        if "python" in state and (ended := window.end_tasks(state["python"], state["uids"])):
            self.log(f"ended the tasks that still ran, {ended} processes")
        with contextlib.suppress(OSError, ValueError):
            same_boot = state["boot"] == this_boot()
            state["reverted"] = [step.name for step in self.steps(early=early, kernel=same_boot)]
        state.update(phase="rolling-back", reason=reason, late=False)
        self.store.write(state)
        self.log(f"rolling back: {reason}")

    def work(self, *, early: bool = False) -> None:
        """Put back what differs, what decides about access first; record what is left.

        After a part was left, only that is looked at again: the rest may have been repaired by hand meanwhile.
        """
        state = self.state()
        only = {name for name, _ in state.get("left", [])} - {EVERYTHING}
        errors: dict[str, str] = {}
        try:
            self.snapshot()
        except (OSError, ValueError) as error:
            left_over = [[EVERYTHING, f"what was before cannot be read: {error}"]]
            self.store.write({**state, "phase": "partly", "left": left_over})
            return
        with contextlib.suppress(OSError):
            files.Files(self.snapshot()["files"], self.dir).uncover()
        same_boot = state.get("boot") == this_boot()
        left: list[Step] = []
        for number in range(PASSES):
            steps = self.steps(early=early, kernel=same_boot or bool(state.get("late")))
            left = [step for step in steps if not only or step.name in only]
            if not left and number:
                break
            wrote = self._try_all((step for step in left if step.kind != "unit"), errors)
            if wrote and not same_boot and not early and not state.get("late"):
                state["late"] = True
                self.store.write(state)
            if early:
                self._start_what_was_disabled(wrote)
            elif wrote or (number == 0 and same_boot and not only):
                self._reload(errors)
            self._try_all((step for step in left if step.kind == "unit"), errors)
        if early:
            return
        if left:
            unfinished = [[step.name, errors.get(step.name, "it changed again")] for step in left]
            if state.get("left") != unfinished:
                for name, why in unfinished:
                    self.log(f"not put back yet: {name}: {why}")
            self.store.write({**state, "phase": "partly", "left": unfinished})
            return
        failed = files.kept_for_reading(self.snapshot()["files"]["roots"])
        with contextlib.suppress(OSError):
            files.Files(self.snapshot()["files"], self.dir).sync()
        self._end("rolled-back", str(state["reason"]), left=[], failed=failed)

    @staticmethod
    def _try_all(steps: Iterable[Step], errors: dict[str, str]) -> bool:
        """Do each step whatever becomes of the others; whether a file was among them."""
        wrote = False
        for step in steps:
            try:
                step.restore()
                wrote = wrote or step.kind == "file"
            except Exception as error:  # whatever it is, the next step may still let somebody in
                errors[step.name] = str(error)
        return wrote

    def _reload(self, errors: dict[str, str]) -> None:
        """Let systemd, sshd and what else was running read the files that were put back."""
        before = self.snapshot()["units"]
        run(["systemctl", "daemon-reload"])
        try:
            units.restart_ssh(before)
        except OSError as error:
            errors["unit ssh.service"] = str(error)
        others = [unit for unit, active in before.items() if active and unit not in (*units.SSHD, *units.RULE_LOADERS)]
        for unit in others:
            run(["systemctl", "try-restart", unit])

    def _start_what_was_disabled(self, wrote: bool) -> None:
        """Early in the boot there are no jobs yet for units whose links were just put back."""
        if wrote:
            run(["systemctl", "daemon-reload"])
            for unit, active in self.snapshot()["units"].items():
                if active:
                    run(["systemctl", "start", "--no-block", unit])

    # --- what runs on the host by itself ----------------------------------------------------------------------------

    def tick(self) -> str:
        """Do what is due; the phase afterwards."""
        state = self.state()
        if state["phase"] == "pending":
            if state["boot"] != this_boot():
                self.rollback(RESTARTED)
            elif seconds_since_boot() >= state["deadline"]:
                self.rollback(str(state["reason"]))
        elif state["phase"] in UNFINISHED:
            self.work()
        else:  # It ended, and was itself cut off before it had put everything away.
            self._disarm()
        return self.phase()

    def boot(self) -> None:
        """Before sshd and the firewall start: put the files back. The service does the rest when the system is up."""
        state = self.state()
        if state["phase"] == "pending":
            self._begin({**state, "boot": "before"}, RESTARTED, early=True)
        if state["phase"] in UNFINISHED:
            self.work(early=True)

    def release(self) -> None:
        """End everything that is armed, as things are now."""
        if self.phase() in UNFINISHED:
            self._end("released", "by hand, as things were at that moment")
        else:
            self._disarm()

    def report(self) -> dict[str, Any]:
        """What became of the last change, for the play and for people."""
        state = self.state()
        phase = str(state["phase"]) if self.is_ours(state) else "superseded"
        failed = state.get("failed", [])
        return {
            "outcome": phase,
            "why": state.get("why", "") if phase in ("confirmed", "released") else state.get("reason", ""),
            "reverted": state.get("reverted", []) if phase in ("rolling-back", "rolled-back", "partly") else [],
            "left": [f"{name}: {why}" for name, why in state.get("left", [])] if phase == "partly" else [],
            "failed": failed if phase in ("rolled-back", "partly") else [],
            "seconds": max(0, round(state["deadline"] - seconds_since_boot())) if phase == "pending" else 0,
        }


def answers_as_sshd(port: int) -> bool:
    """Whether something on this host greets as an ssh server does, on any address that listens on the port."""
    sockets = sessions.tcp_sockets(Path("/proc/self/net"))
    places = {entry.local[0] for entry in sockets if entry.state == sessions.LISTEN and entry.local[1] == port}
    # A socket for both families also serves where the host has no IPv6 address, not even ::1.
    loopback = {"0.0.0.0": ["127.0.0.1"], "::": ["::1", "127.0.0.1"]}
    for address in [address for place in places for address in loopback.get(place, [place])]:
        with contextlib.suppress(OSError), socket.create_connection((address, port), 5) as connection:
            if connection.recv(4) == b"SSH-":
                return True
    return False
