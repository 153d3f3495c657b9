"""The menu entry that GRUB boots by default: the newest kernel that has an NVIDIA module."""

from __future__ import annotations

import re
from collections.abc import Iterable

from ..host.kernels import Kernel, bootable_with_module, newest

# How grub-mkconfig's scripts name an entry: $menuentry_id_option 'gnulinux-6.8.0-31-generic-advanced-UUID'
_ENTRY_ID = re.compile(r"(?:\$\{?menuentry_id_option\}?|--id)\s+['\"]?([^'\"\s{]+)")
_LINUX = re.compile(r"linux(?:efi|16)?\s")


def menu_entry(menu: str, release: str) -> str:
    """Return the path of ids ("submenu>entry") by which GRUB's menu boots a kernel release; "" when it has none.

    menu: text of a grub.cfg. Ids and nesting are the menu's own, so that one without submenus (GRUB_DISABLE_SUBMENU)
    or one of another script (10_linux_zfs) is right too. Recovery entries are left out; the first of several counts.
    """
    nesting: list[str] = []  # the id of each open block, "" for one that is no entry
    image = re.compile(rf"vmlinuz-{re.escape(release)}(?=[\"'\s]|$)")
    for line in menu.splitlines():
        text = line.strip()
        if text.endswith("{"):
            found = _ENTRY_ID.search(text) if text.startswith(("menuentry ", "submenu ")) else None
            nesting.append(found[1] if found else "")
        elif text == "}":
            nesting = nesting[:-1]
        elif nesting and nesting[-1] and _LINUX.match(text) and image.search(text):
            recovery = "-recovery-" in nesting[-1] or re.search(r"\s(?:recovery|single)(?=\s|$)", text)
            if not recovery:
                return ">".join(part.replace(">", ">>") for part in nesting if part)
    return ""


def boot_default(kernels: Iterable[Kernel], menu: str) -> str:
    """Return the path of ids of the menu entry to boot by default, or "" when GRUB's own choice (the newest) is right.

    Only a kernel without module that is newer than one with a module makes a difference.
    """
    kernels = list(kernels)
    first, best = newest(kernels), bootable_with_module(kernels)
    if first is None or best is None or first.release == best.release:
        return ""
    return menu_entry(menu, best.release)
