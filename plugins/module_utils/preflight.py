"""What a machine must be before dlbox changes anything on it: pure functions from readings to problems."""

from __future__ import annotations

from collections.abc import Iterable, Mapping


def os_problems(fields: Mapping[str, str], supported: Mapping[str, Iterable[str]]) -> list[str]:
    """Return why the system that ``fields`` (os-release) describes is not one of ``supported`` (id -> versions)."""
    name, version = fields.get("ID", "unknown"), fields.get("VERSION_ID", "unknown")
    if version in supported.get(name, ()):
        return []
    known = "; ".join(f"{key} {', '.join(versions)}" for key, versions in sorted(supported.items()))
    return [
        f"The operating system is {fields.get('PRETTY_NAME', name)} (ID={name}, VERSION_ID={version}). "
        f"Expected one of: {known}. Install one of these, or run an older or newer dlbox that knows yours"
    ]


def memory_problems(total: int, needed: int) -> list[str]:
    """Return a problem when the machine's ``total`` memory is less than ``needed``; both in MiB."""
    if total >= needed:
        return []
    return [
        f"Memory is {total} MiB, expected at least {needed} MiB (dlbox_minimum_memory). "
        f"Add memory, or lower the variable"
    ]


def read_only_problems(paths: Iterable[str]) -> list[str]:
    """Return a problem for each of ``paths``, which are on file systems mounted read-only."""
    return [
        f"{path} is on a file system that is mounted read-only, so nothing can be installed. "
        f"Often a disk error: look at `dmesg`, then `mount -o remount,rw` or repair it"
        for path in paths
    ]


def sudo_problems(user: str, sudo: str, works: bool, become_exe: str) -> list[str]:
    """Return why becoming root would fail whatever password is given.

    Args:
        user: the connecting account.
        sudo: ``""`` when there is no sudo, else the first line of ``sudo --version``.
        works: whether it takes no password.
        become_exe: the program that Ansible calls, ``sudo`` unless the owner says otherwise.
    """
    if works:
        return []
    if not sudo:
        return [
            f"There is no sudo, and {user} is not root. "
            f"As root, run: apt-get install sudo && usermod -aG sudo {user}; then log in again"
        ]
    # ansible/ansible#86441, #87423: password prompts of sudo-rs are not recognised by core 2.19 to 2.21.
    if "sudo-rs" in sudo and not become_exe.endswith("sudo.ws"):
        return [
            f"sudo is {sudo.strip()}, whose password prompt Ansible does not understand (a run would hang). "
            f"Set ansible_become_exe: sudo.ws for this host (the classic sudo is installed beside it), "
            f"or let {user} use sudo without a password"
        ]
    return []


def source_problems(uris: Iterable[str], failed: Mapping[str, str]) -> list[str]:
    """Return why packages cannot be had.

    Args:
        uris: the repositories that apt is configured with.
        failed: repository -> what the attempt to reach it ended with; those that answered are absent.
    """
    listed = list(uris)
    if not listed:
        return [
            "apt has no package source (nothing in /etc/apt/sources.list or sources.list.d). Enable the distribution's "
            "repositories, or a mirror of them"
        ]
    problems = [
        f"apt is configured with the installation medium ({uri}), which is not there any more. Remove that line from "
        f"/etc/apt/sources.list"
        for uri in listed
        if uri.startswith("cdrom:")
    ]
    problems += [
        f"The package source {uri} does not answer: {reason}. "
        f"Check the network, the proxy (dlbox_proxy) or choose a mirror"
        for uri, reason in failed.items()
    ]
    return problems
