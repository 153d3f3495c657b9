"""Filter ``public_keys``: a list of admins whose keys are literals or files -> the same list with checked literals."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ansible.errors import AnsibleFilterError


def _is_path(entry: str) -> bool:
    """Tell a path from a literal key: a key always has a blank between type and body."""
    return " " not in entry.strip() or entry.startswith(("/", "~", "./", "../"))


def key_lines(entry: str, where: str) -> list[str]:
    """Return the key lines that ``entry`` (a literal or a path on the controller) stands for.

    Raises:
        ValueError: unreadable file or malformed key; the message names ``where``, the value and the remedy.
    """
    # Not above: Ansible loads every filter file anew in the process of each task.
    from ..module_utils.public_key import parse_lines

    text = entry
    if _is_path(entry):
        path = Path(entry).expanduser()
        try:
            text = path.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            reason = error.strerror if isinstance(error, OSError) else "not a text file"
            raise ValueError(
                f"{where}: cannot read the key file {path} on this machine ({reason}). "
                f"Give the path of a public key, or the key itself; without a key yet: ssh-keygen -t ed25519"
            ) from None
    try:
        keys = parse_lines(text)
    except ValueError as error:
        shown = entry if len(entry) <= 60 else entry[:57] + "..."
        raise ValueError(
            f"{where}: {shown!r} is not a usable public key: {error}. Expected one line as in ~/.ssh/id_ed25519.pub"
        ) from None
    if not keys:
        raise ValueError(f"{where}: {entry!r} holds no public key. Expected one line as in ~/.ssh/id_ed25519.pub")
    return [key.line for key in keys]


def admin_problems(admins: list[dict[str, Any]], name: str = "dlbox_admins") -> list[str]:
    """Return a sentence for each key entry of ``admins`` that cannot be used, and for each admin without any key."""
    problems = []
    for index, admin in enumerate(admins):
        entries = admin.get("keys") or []
        if not entries:
            problems.append(
                f"{name}[{index}].keys: the admin {admin.get('name')!r} has no public key and could not log in. "
                f"Add one, for instance ~/.ssh/id_ed25519.pub (make it with: ssh-keygen -t ed25519)"
            )
        for number, entry in enumerate(entries):
            try:
                key_lines(str(entry), f"{name}[{index}].keys[{number}]")
            except ValueError as error:
                problems.append(str(error))
    return problems


def public_keys(admins: list[dict[str, Any]], name: str = "dlbox_admins") -> list[dict[str, Any]]:
    """Return ``admins`` with every ``keys`` entry replaced by the key lines it stands for.

    Raises:
        AnsibleFilterError: one message with every problem.
    """
    problems = admin_problems(admins, name)
    if problems:
        raise AnsibleFilterError("; ".join(problems))
    return [
        {
            **admin,
            "keys": [
                line
                for number, entry in enumerate(admin["keys"])
                for line in key_lines(str(entry), f"{name}[{index}].keys[{number}]")
            ],
        }
        for index, admin in enumerate(admins)
    ]


class FilterModule:
    """What Ansible loads."""

    def filters(self) -> dict[str, Any]:
        """Return the filters by name."""
        return {"public_keys": public_keys}
