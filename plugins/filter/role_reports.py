"""Filters: what roles tell the owner, from what their modules found. Each returns sentences, or one for a reason."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

NO_PLAN = "there is no plan for this host, nothing done (run the whole site, or `dlbox plan`)"


def admins_todo(accounts: Mapping[str, Mapping[str, Any]], nopasswd: Sequence[str]) -> list[str]:
    """What is left to do for the admins. accounts: name -> password, passwordless, problem, as admin_accounts says."""
    without = [name for name, one in accounts.items() if not one["password"] and not one["passwordless"]]
    todo = [
        f"The account {name} has no password, so sudo refuses it: run sudo passwd {name}, or give it sudo: nopasswd."
        for name in without
        if name not in nopasswd
    ]
    todo += [
        f"The account {name} takes no login, with a key either: it {one['problem']}."
        for name, one in accounts.items()
        if one["problem"]
    ]
    todo += [
        f"sudo asks {name} for no password, by a rule that is not of dlbox (sudo -l -U {name}). Remove it, or give "
        f"{name} sudo: nopasswd."
        for name, one in accounts.items()
        if one["passwordless"]
    ]
    return todo


def conda_setup(environments: Iterable[Mapping[str, str]], root: str) -> list[str]:
    """Which environments are there, and what is to be known of them. environments: name, status, note."""
    good = [one for one in environments if one["status"] not in ("failed", "refused")]
    names = ", ".join(one["name"] for one in good)
    return [f"conda: {names} in {root}"] + [f"conda: {one['name']}: {one['note']}" for one in good if one["note"]]


def conda_todo(environments: Iterable[Mapping[str, str]]) -> list[str]:
    """Which environments were refused, and why."""
    return [
        f"The environment {one['name']} was not made: {one['note']}"
        for one in environments
        if one["status"] == "refused"
    ]


def cuda_skip_reason(plan: Mapping[str, Any], *, asked: bool, found: bool) -> str:
    """Why no toolkit is installed; empty where one is. asked: by the owner; found: the plan has packages."""
    if not asked:
        return "no toolkit asked for (cuda_toolkits is empty), nothing done; frameworks bring their own CUDA libraries"
    if found:
        return ""
    if not plan:
        return NO_PLAN
    refused = [one["message"] for one in plan.get("refusals") or [] if one["component"] == "cuda"]
    return f"the plan has no toolkit for this machine, nothing done: {'; '.join(refused)}"


def nvidia_driver_skip_reason(plan: Mapping[str, Any], *, in_container: bool) -> str:
    """Why no driver is installed; empty where one is. in_container: the owner wants it in a container all the same."""
    # Not above: Ansible loads every filter file anew in the process of each task.
    from ..plugin_utils.planner.model import CONTAINERS

    system = plan.get("os") or {}
    gpus = plan.get("gpus") or []
    refused = [one["message"] for one in plan.get("refusals") or []]
    if not plan:
        return NO_PLAN
    if system.get("wsl"):
        return "WSL2 uses the driver of Windows, nothing done"
    if system.get("virtualization") in CONTAINERS and not in_container:
        return "this is a container, the driver belongs to the machine outside, nothing done"
    if plan.get("driver"):
        return ""
    if not gpus:
        return "no NVIDIA GPU in this machine, nothing done"
    if refused:
        return f"the plan has no driver for this machine, nothing done: {'; '.join(refused)}"
    notes = dict.fromkeys(gpu["note"] for gpu in gpus if gpu.get("note"))
    return f"the plan leaves the GPUs of this machine alone, nothing done: {'; '.join(notes)}"


def unsigned_modules(modules: Iterable[Mapping[str, str]], serial: str) -> list[str]:
    """Modules that were built here and that the machine's key did not sign: the firmware would refuse them.

    modules: release, tree, key, signer, as nvidia_state says; serial: of the machine's key, empty where there is none.
    """
    sentences = []
    for one in modules:
        if serial and one["key"] != serial:
            signed = "is not signed"
            if one["key"]:
                signed = f"is signed by {one.get('signer') or 'another key'}, not by the key of this machine"
            sentences.append(
                f"the module for kernel {one['release']} {signed}, so it will not load. Build it again: "
                f"`sudo dkms build --force {one['tree']} -k {one['release']} && "
                f"sudo dkms install --force {one['tree']} -k {one['release']}`."
            )
    return sentences


def nvidia_driver_todo(
    installed: Mapping[str, Any], mok: Mapping[str, Any], settings: Mapping[str, Any], state_dir: str
) -> list[str]:
    """What is left to do for the driver.

    installed: as nvidia_packages says; mok: as mok_enrolment says, or nothing; settings: as `dlbox-nvidia verify` says.
    """
    state = installed["state"]
    enrolment = mok.get("enrolment", "")
    todo = []
    if enrolment == "staged":
        todo.append(
            "Secure Boot: the key for the NVIDIA modules waits to be enrolled at the console. Read the one-time "
            f"password with `sudo cat {state_dir}/mok-password`, then `sudo systemctl reboot`. {mok['keystrokes']}"
        )
    elif enrolment == "absent":
        todo.append(
            "Secure Boot: the key for the NVIDIA modules is not enrolled, so they will not load. "
            "Set nvidia_driver_secure_boot: stage and run dlbox up."
        )
    if enrolment != "staged":
        todo += [f"Restart, because {reason}: `sudo systemctl reboot`." for reason in state["reboot_reasons"]]
    unsigned = unsigned_modules(state["built_modules"], mok.get("serial", ""))
    todo += [f"Secure Boot: {sentence}" for sentence in unsigned]
    ending = " and is not started by default."
    if not state["boot_guarded"]:
        ending = ", and the boot loader may start it: choose another there."
    todo += [f"Kernel {release} has no NVIDIA module{ending}" for release in state["waiting_kernels"]]
    todo += [f"NVIDIA driver: {note}." for note in installed.get("notes", [])]
    return todo + list(settings.get("errors", [])) + list(settings.get("notes", []))


class FilterModule:
    """What Ansible looks for in this file."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Name of the filter -> function."""
        return {
            "admins_todo": admins_todo,
            "conda_setup": conda_setup,
            "conda_todo": conda_todo,
            "cuda_skip_reason": cuda_skip_reason,
            "nvidia_driver_skip_reason": nvidia_driver_skip_reason,
            "nvidia_driver_todo": nvidia_driver_todo,
            "unsigned_modules": unsigned_modules,
        }
