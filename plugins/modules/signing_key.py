#!/usr/bin/python
"""Put a repository's signing key in place, if it is the pinned one."""

from __future__ import annotations

DOCUMENTATION = r"""
module: signing_key
short_description: Fetch a repository's OpenPGP key and trust it only if its fingerprint is the pinned one
description:
  - Computes the fingerprints from the key itself, so that the host needs no gpg. A file with any key that is not
    pinned is refused.
  - A key in place that is the pinned one is not fetched again.
options:
  url: {description: "URL (https, http, file) of the key, armoured or binary.", type: str, required: true}
  fingerprints: {description: "Pinned fingerprints, 40 hexadecimal digits each.", type: list, elements: str, required:
  true}
  dest: {description: "Keyring to write, binary (.gpg).", type: path, required: true}
  verifier:
    description:
      - What apt checks signatures with here; `sqv` (Debian 13) takes no key that is bound by SHA-1 alone.
      - Empty finds it out.
    type: str
    default: ""
    choices: ["", gpgv, sqv]
  timeout: {description: Seconds to wait for the server., type: int, default: 30}
attributes:
  check_mode:
    support: full
    description: Says what it would change, and changes nothing.
author: [dlbox (!UNKNOWN)]
version_added: 0.1.0
"""
EXAMPLES = r"""
- name: Trust the repository's key
  dlbox.workstation.signing_key:
    url: https://packages.example/key.asc
    fingerprints: ["0123456789ABCDEF0123456789ABCDEF01234567"]
    dest: /etc/apt/keyrings/example.gpg
"""
RETURN = r"""
fingerprints: {description: Fingerprints of the keys in the keyring., type: list, elements: str, returned: success}
"""

import os
from pathlib import Path
from typing import Any

from ansible.module_utils.basic import AnsibleModule
from ansible.module_utils.urls import open_url

from ..module_utils.nvidia import openpgp


def judged(data: bytes, given: dict[str, Any], where: str) -> list[str]:
    """Return the fingerprints in data; raise ValueError with the reason when they are not to be trusted."""
    try:
        found = openpgp.keys(data)
    except openpgp.NotAKey as error:
        raise ValueError(f"{where} is no signing key: {error}") from error
    reasons = openpgp.refusals(found, given["fingerprints"], given["verifier"])
    if reasons:
        raise ValueError(f"{where} is not trusted: " + "; ".join(reasons))
    return [key.fingerprint for key in found]


def main() -> None:
    """Compare what is there, else fetch, judge and write."""
    os.umask(0o022)  # others read what it makes, whatever umask root has on this host
    module = AnsibleModule(
        argument_spec={
            "url": {"type": "str", "required": True},
            "fingerprints": {"type": "list", "elements": "str", "required": True, "no_log": False},
            "dest": {"type": "path", "required": True},
            "verifier": {"type": "str", "default": "", "choices": ["", "gpgv", "sqv"]},
            "timeout": {"type": "int", "default": 30},
        },
        supports_check_mode=True,
    )
    given = module.params
    path = Path(given["dest"])
    given["verifier"] = given["verifier"] or ("sqv" if Path("/usr/bin/sqv").exists() else "gpgv")
    try:
        if path.exists():
            module.exit_json(changed=False, fingerprints=judged(path.read_bytes(), given, str(path)))
    except ValueError:
        pass  # another key than the pinned one: fetched anew below, and judged like any other
    try:
        with open_url(given["url"], timeout=given["timeout"]) as answer:
            data = answer.read(1 << 20)
        fingerprints = judged(data, given, given["url"])
        binary = openpgp.dearmour(data)
    except ValueError as error:
        module.fail_json(msg=f"{error}. Compare with the vendor's documentation before pinning another fingerprint.")
    except OSError as error:
        module.fail_json(
            msg=f"could not fetch the key {given['url']}: {error}. Is the URL right, or is a mirror needed?"
        )
    if not module.check_mode:
        path.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
        temporary = Path(module.tmpdir) / path.name
        temporary.write_bytes(binary)
        temporary.chmod(0o644)
        module.atomic_move(str(temporary), str(path))
    module.exit_json(changed=True, fingerprints=fingerprints)


if __name__ == "__main__":
    main()
