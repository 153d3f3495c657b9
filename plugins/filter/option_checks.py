"""Filters: what the owner's options mean together, and what is wrong with them."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

MB_OF_GIB = 1024**3 / 1e6
MEMORY = re.compile(r"([0-9]+(\.[0-9]+)?[KMGT]?|[0-9]{1,2}%|100%|infinity)?")


def jupyter_ports(users: Sequence[str], first: int | str, own: Mapping[str, int]) -> dict[str, int]:
    """The port of each account's server: counted from `first` in their order, but for those that have their own."""
    return {**{user: int(first) + number for number, user in enumerate(users)}, **own}


def jupyter_problems(options: Mapping[str, Any]) -> list[str]:
    """A sentence for each option of the role jupyter that cannot be used. options: by name, without the prefix."""
    certificate, key = options["tls_certificate"], options["tls_key"]
    users, kernels = options["users"], [one["name"] for one in options["kernel_environments"]]
    problems = []
    if bool(certificate) != bool(key):
        problems.append(
            f"jupyter_tls_certificate is '{certificate}' and jupyter_tls_key is '{key}'. "
            "Expected both paths, or neither for a self-signed certificate."
        )
    if lost := [user for user in options["ports"] if user not in users]:
        problems.append(
            f"jupyter_ports names {', '.join(lost)}, expected accounts of jupyter_users ({', '.join(users)}). "
            "Remove the entry, or add the account."
        )
    if not MEMORY.fullmatch(str(options["memory_max"])):
        problems.append(
            f"jupyter_memory_max is '{options['memory_max']}'. Expected an amount such as 48G, a share such as 75%, "
            "or nothing."
        )
    if options["default_kernel"] not in ["", *kernels]:
        problems.append(
            f"jupyter_default_kernel is '{options['default_kernel']}', expected one of "
            f"{', '.join(kernels) or 'the environments, of which there are none'}."
        )
    return problems


def plan_problems(plan: Mapping[str, Any], accepted: bool) -> list[str]:
    """The fatal refusals of a plan with their remedies; none where the owner accepts to go on without a GPU stack."""
    if plan["ok"] or accepted:
        return []
    return [f"{one['message']} {one['remedy']}" for one in plan["refusals"] if one["fatal"]]


def architecture_problems(architecture: str, environments: Sequence[Any] | None, base: bool) -> list[str]:
    """That environments are asked for where there are none. environments: the owner's list; None: the shipped ones."""
    # Wheels and conda packages are locked for x86_64 only.
    if architecture in ("x86_64", "amd64") or not (environments is None or environments or base):
        return []
    return [
        f"the environments are locked for x86_64, and this machine is {architecture}: set conda_environments to [] and "
        f"conda_base to false (driver and CUDA fit {architecture})"
    ]


def disk_problems(
    disk: Mapping[str, Any], environments: Sequence[Mapping[str, Any]], plan: Mapping[str, Any], minimum: int | None
) -> list[str]:
    """That the environments that are to be made do not fit the disk. Where none is to be made, no room is needed.

    disk: as preflight_host returns it; environments: entries of conda_environments, base included; minimum: the owner's
    own figure for what is missing, in GiB, instead of the estimate.
    """
    missing = [
        one
        for one in environments
        if one.get("state", "present") == "present" and one.get("name") not in disk["environments"]
    ]
    if not missing:
        return []
    # Not above: Ansible loads every filter file anew in the process of each task.
    from ..plugin_utils.planner.sizes import sizes, total

    each = sizes(missing, plan)
    needed = total(each).disk / MB_OF_GIB if minimum is None else int(minimum)
    free = disk["free"] / 1024**3
    if free >= needed:
        return []
    listed = ", ".join(f"{name} {size.disk / MB_OF_GIB:.1f}" for name, size in each.items() if size.disk)
    why = f"the environments to be made ({listed})" if minimum is None else "those to be made (dlbox_minimum_disk)"
    return [
        f"Free space at {disk['path']} is {free:.1f} GiB, expected at least {needed:.1f} GiB for {why}. Make room, "
        f"take environments out of conda_environments, set dlbox_conda_root ({disk['target']}) to a folder of a larger "
        f"disk, or dlbox_minimum_disk to the GiB that you know them to need"
    ]


def login_problems(user: str, over_ssh: bool, admins: Sequence[Mapping[str, Any]]) -> list[str]:
    """That the stage secure would shut out the account that this run logs in as. over_ssh: whether it came that way."""
    names = [str(admin.get("name")) for admin in admins]
    if not over_ssh or not names or user in names:
        return []
    first = names[0]
    problem = (
        f"dlbox_admins is {', '.join(names)}, and dlbox logs in over ssh as {user}, whom the stage secure would shut "
        f"out. "
    )
    if user != "root":
        return [f"{problem}Add {user} to dlbox_admins with a public key, or log in as an admin (ansible_user: {first})"]
    return [
        f"{problem}Log in as an admin (ansible_user: {first}). Where it has no account yet, run as root: adduser "
        f"{first} && usermod -aG sudo {first} && cp -r ~/.ssh /home/{first}/ && chown -R {first}: /home/{first}/.ssh"
    ]


def shut_out_clients(clients: Iterable[Mapping[str, Any]], offered: Mapping[str, Sequence[str]]) -> list[str]:
    """Names of the ssh clients that share nothing with the server in one of the lists.

    clients: entries of the role's files/clients.yml; offered: sshd's keywords -> algorithms.
    """
    keywords = {"kex": "KexAlgorithms", "ciphers": "Ciphers", "macs": "MACs", "host_keys": "HostKeyAlgorithms"}
    return [
        name
        for client in clients
        if any(set(client[kind]).isdisjoint(offered[keyword]) for kind, keyword in keywords.items())
        for name in client["clients"]
    ]


def ipv4_mapped(networks: Iterable[str]) -> list[str]:
    """The IPv4 networks as a socket for both families shows them: 192.0.2.0/24 is ::ffff:192.0.2.0/120 there."""
    pairs = [text.partition("/") for text in networks if ":" not in text]
    return [f"::ffff:{address}/{96 + int(prefix or 32)}" for address, _, prefix in pairs]


class FilterModule:
    """What Ansible looks for in this file."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Name of the filter -> function."""
        return {
            "architecture_problems": architecture_problems,
            "disk_problems": disk_problems,
            "ipv4_mapped": ipv4_mapped,
            "jupyter_ports": jupyter_ports,
            "jupyter_problems": jupyter_problems,
            "login_problems": login_problems,
            "plan_problems": plan_problems,
            "shut_out_clients": shut_out_clients,
        }
