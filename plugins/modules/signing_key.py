#!/usr/bin/python
"""Put a repository's signing key in place, if it is the pinned one."""

from __future__ import annotations

DOCUMENTATION = r"""
module: signing_key
short_description: Fetch a repository's OpenPGP key and trust it only if its fingerprint is the pinned one
description:
  - gpg reads the file, in an empty home of its own. A file with any key that is not pinned is refused, and only what
    gpg took for keys is written.
  - A key in place that is the pinned one is not fetched again.
  - Installs the package C(gpg) where it is missing. Check mode has to leave a key unread there, and says so.
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
extends_documentation_fragment: [dlbox.workstation.proxy]
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
fingerprints:
  description: Fingerprints of the keys in the keyring; empty in check mode on a host without gpg.
  type: list
  elements: str
  returned: success
"""

import os
import re
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Any

from ansible.module_utils.basic import AnsibleModule
from ansible.module_utils.urls import open_url

from ..module_utils import proxy
from ..module_utils.host import gpg_keys
from ..module_utils.host.gpg_keys import OpenPgpKey
from ..module_utils.nvidia.apt import Apt, Failed, Refused, Request
from ..module_utils.umask import with_umask


def gpg(data: bytes, *arguments: str) -> bytes:
    """What gpg answers to key data, with an empty home: no keys, options or agent of an account play a part.

    Raises ValueError, with gpg's words, when the data is damaged or no OpenPGP key.
    """
    with tempfile.TemporaryDirectory(prefix="dlbox-gpg-") as home:
        argv = ["gpg", "--homedir", home, "--no-options", "--quiet", "--no-autostart", *arguments]
        done = subprocess.run(argv, input=data, capture_output=True, check=False, env={**os.environ, "LC_ALL": "C"})
    if done.returncode != 0:
        said = done.stderr.decode(errors="replace").strip().splitlines()
        raise ValueError(said[-1] if said else f"gpg ended with {done.returncode}")
    return done.stdout


def keys(data: bytes) -> list[OpenPgpKey]:
    """The primary keys in armoured or binary data; raises ValueError as `gpg` does, and when there is none."""
    found = gpg_keys.parse(gpg(data, *gpg_keys.ARGUMENTS).decode(errors="replace"))
    if not found:
        raise ValueError("no public key in it")
    return found


def normal_fingerprint(text: str) -> str:
    """Return a fingerprint as 40 upper-case hexadecimal digits; raise ValueError when it is none."""
    out = re.sub(r"[\s:]", "", text).upper().removeprefix("0X")
    if not re.fullmatch(r"[0-9A-F]{40}", out):
        raise ValueError(f"{text!r} is no fingerprint, expected 40 hexadecimal digits")
    return out


def refusals(found: list[OpenPgpKey], pinned: list[str], verifier: str = "gpgv") -> list[str]:
    """Return why a file of keys is not to be trusted; empty when every key in it is pinned and the verifier takes it.

    verifier: "sqv" where apt checks signatures with Sequoia (Debian 13), "gpgv" elsewhere.
    """
    wanted = [normal_fingerprint(text) for text in pinned]
    out = [
        f"it has the key {key.fingerprint} ({key.user_id or 'no user id'}), pinned is {' or '.join(wanted)}"
        for key in found
        if key.fingerprint not in wanted
    ]
    out += [
        f"the key {key.fingerprint} ({key.user_id}) is bound to its user by SHA-1 alone, which apt on this release"
        " (sqv) refuses; use the repository and key made for this release"
        for key in found
        if key.fingerprint in wanted and key.sha1_bound and verifier == "sqv"
    ]
    return out


def validated(data: bytes, given: dict[str, Any], where: str) -> list[str]:
    """Return the fingerprints in data; raise ValueError with the reason when they are not to be trusted."""
    try:
        found = keys(data)
    except ValueError as error:
        raise ValueError(f"{where} is no signing key: {error}") from error
    reasons = refusals(found, given["fingerprints"], given["verifier"])
    if reasons:
        raise ValueError(f"{where} is not trusted: " + "; ".join(reasons))
    return [key.fingerprint for key in found]


def install_gpg(apt: Apt) -> None:
    """Install gpg, after reading the package lists anew where those of the host do not lead to it.

    Raises Refused or Failed with apt's words; nothing else is removed for it.
    """
    request = Request(install=["gpg"])
    for last in (False, True):
        try:
            apt.validate(request, apt.simulate(request))
            apt.execute(request)
            return
        except (Refused, Failed):
            if last:
                raise
            apt.run(["apt-get", "update"])


@with_umask(0o022)  # others read what it makes
def main() -> None:
    """Compare what is there, else fetch, validate and write."""
    module = AnsibleModule(
        argument_spec={
            "url": {"type": "str", "required": True},
            "fingerprints": {"type": "list", "elements": "str", "required": True, "no_log": False},
            "dest": {"type": "path", "required": True},
            "verifier": {"type": "str", "default": "", "choices": ["", "gpgv", "sqv"]},
            "timeout": {"type": "int", "default": 30},
            **proxy.OPTIONS,
        },
        supports_check_mode=True,
    )
    given = module.params
    path = Path(given["dest"])
    given["verifier"] = given["verifier"] or ("sqv" if Path("/usr/bin/sqv").exists() else "gpgv")
    if not shutil.which("gpg"):
        if module.check_mode:
            module.exit_json(changed=True, fingerprints=[], msg="the key was not read, as gpg is not installed yet")
        try:
            install_gpg(Apt())
        except (Refused, Failed) as failure:
            module.fail_json(msg=f"gpg, which reads the repository's key, could not be installed: {failure}")
    try:
        if path.exists():
            module.exit_json(changed=False, fingerprints=validated(path.read_bytes(), given, str(path)))
    except ValueError:
        pass  # another key than the pinned one: fetched anew below, and validated like any other
    try:
        with proxy.used(given), open_url(given["url"], timeout=given["timeout"]) as answer:
            data = answer.read(1 << 20)
        fingerprints = validated(data, given, given["url"])
        binary = gpg(data, "--batch", "--import-options", "import-export", "--import")
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
