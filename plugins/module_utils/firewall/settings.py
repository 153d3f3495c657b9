"""/etc/default/ufw and /etc/ufw/ufw.conf: shell assignments, changed in place and nothing else touched."""

from __future__ import annotations

import re
from collections.abc import Mapping

POLICY_WORD = {"allow": "ACCEPT", "deny": "DROP", "reject": "REJECT"}


def default_settings(incoming: str, outgoing: str, routed: str) -> dict[str, str]:
    """What /etc/default/ufw shall say, with ufw's own quoting."""
    return {
        "IPV6": "yes",
        "DEFAULT_INPUT_POLICY": f'"{POLICY_WORD[incoming]}"',
        "DEFAULT_OUTPUT_POLICY": f'"{POLICY_WORD[outgoing]}"',
        "DEFAULT_FORWARD_POLICY": f'"{POLICY_WORD[routed]}"',
    }


def get_setting(text: str, name: str) -> str:
    """The last assignment's value without quotes, or an empty string."""
    values = re.findall(rf"^{name}=(.*)$", text, flags=re.MULTILINE)
    return values[-1].strip().strip("\"'") if values else ""


def set_settings(text: str, settings: Mapping[str, str]) -> str:
    """The text with the assignments in place; a value that differs only in its quotes stays."""
    for name, value in settings.items():
        if get_setting(text, name).lower() == value.strip('"').lower():
            continue
        pattern = re.compile(rf"^{name}=.*$", flags=re.MULTILINE)
        if pattern.search(text):
            text = pattern.sub(f"{name}={value}", text)
        else:
            text = text + ("" if not text or text.endswith("\n") else "\n") + f"{name}={value}\n"
    return text
