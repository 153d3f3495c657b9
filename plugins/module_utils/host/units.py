"""Units of systemd: what `systemctl show` prints of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping


def show_command(units: Iterable[str], *properties: str) -> list[str]:
    """Return the command that prints properties of units, for `parse_show`."""
    return ["systemctl", "show", f"--property={','.join(('Id', *properties))}", *units]


def parse_show(shown: str) -> dict[str, dict[str, str]]:
    """Return unit to its properties, from what `show_command` printed.

    systemd prints a unit that does not exist too (LoadState=not-found), and an alias under its unit's own name.
    """
    blocks = (properties_of(block) for block in shown.split("\n\n"))
    return {block["Id"]: block for block in blocks if block.get("Id")}


def properties_of(block: str) -> dict[str, str]:
    """Return the properties in one block of NAME=VALUE lines; the values of one that is repeated, with blanks."""
    found: dict[str, str] = {}
    for line in block.splitlines():
        name, separator, value = line.partition("=")
        if separator:
            found[name] = f"{found[name]} {value}" if name in found else value
    return found


def enabled_and_active(properties: Mapping[str, str]) -> dict[str, bool]:
    """Return whether a unit starts at boot (enabled) and runs (active), from UnitFileState and ActiveState."""
    return {
        "enabled": properties.get("UnitFileState") == "enabled",
        "active": properties.get("ActiveState") == "active",
    }
