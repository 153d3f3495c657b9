#!/usr/bin/python
"""Stage the enrolment of the key that DKMS signs modules with."""

from __future__ import annotations

DOCUMENTATION = r"""
module: mok_enrolment
short_description: Create the machine owner key for DKMS modules and stage its enrolment
description:
  - Creates key and certificate where DKMS looks for them, if they are missing, with openssl.
  - Asks mokutil whether the certificate is enrolled, or staged (by an earlier run or by somebody else); if neither,
    stages it with a one-time password.
  - The password goes into a file that root alone can read, never into the result, a command line or a log. The file
    is removed once
    the key is enrolled.
options:
  key: {description: Private key., type: path, required: true}
  certificate: {description: "Certificate, DER.", type: path, required: true}
  password_file: {description: Where the one-time password is left., type: path, required: true}
  common_name: {description: Subject of a created certificate., type: str, required: true}
  stage: {description: Stage the enrolment; false only creates the key and reports., type: bool, default: true}
attributes:
  check_mode:
    support: full
    description: Says what it would change, and changes nothing.
author: [dlbox (!UNKNOWN)]
version_added: 0.1.0
"""
EXAMPLES = r"""
- name: Stage the enrolment of DKMS's key
  dlbox.workstation.mok_enrolment:
    key: /var/lib/dkms/mok.key
    certificate: /var/lib/dkms/mok.pub
    password_file: /var/lib/dlbox/nvidia/mok-password
    common_name: box DKMS modules
"""
RETURN = r"""
enrolment: {description: "enrolled, staged or absent.", type: str, returned: success}
keystrokes: {description: What the owner does at the console afterwards., type: str, returned: success}
created: {description: Whether the key was created., type: bool, returned: success}
serial:
  description: Serial number of the certificate, upper-case hexadecimal; signed modules name it.
  type: str
  returned: success
"""

import os
import subprocess
from pathlib import Path

from ansible.module_utils.basic import AnsibleModule

from ..module_utils.nvidia import secureboot
from ..module_utils.umask import with_umask


def create_key(module: AnsibleModule, key: Path, certificate: Path, common_name: str) -> None:
    """Make a 2048-bit RSA key (what shim 15 verifies everywhere) and a certificate for signing modules."""
    key.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
    before = os.umask(0o077)
    command = ["openssl", "req", "-new", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "36500"]
    command += ["-subj", f"/CN={common_name}/", "-addext", "extendedKeyUsage=codeSigning,1.3.6.1.4.1.2312.16.1.2"]
    command += ["-keyout", str(key), "-outform", "DER", "-out", str(certificate)]
    module.run_command(command, check_rc=True)
    os.umask(before)
    certificate.chmod(0o644)


def stage(module: AnsibleModule, certificate: Path, password_file: Path) -> None:
    """Ask mokutil to enrol at the next start, with a new password that only root can read afterwards."""
    password = secureboot.one_time_password()
    # Not by module.run_command, which may log its arguments; the password goes through the pipe alone.
    done = subprocess.run(
        ["mokutil", "--import", str(certificate)],
        input=f"{password}\n{password}\n",
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        module.fail_json(
            msg=f"mokutil --import {certificate} failed with {done.returncode}: {(done.stdout + done.stderr).strip()}."
            " Is the machine started by EFI, and are its variables writable?"
        )
    password_file.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
    handle = os.open(password_file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(handle, "w") as file:
        os.fchmod(file.fileno(), 0o600)
        file.write(password + "\n")


@with_umask(0o022)  # others read what it makes
def main() -> None:
    """Create, ask, stage."""
    module = AnsibleModule(
        argument_spec={
            "key": {"type": "path", "required": True, "no_log": False},
            "certificate": {"type": "path", "required": True},
            "password_file": {"type": "path", "required": True, "no_log": False},
            "common_name": {"type": "str", "required": True},
            "stage": {"type": "bool", "default": True},
        },
        supports_check_mode=True,
    )
    given = module.params
    key, certificate, password_file = (Path(given[name]) for name in ("key", "certificate", "password_file"))
    create = not (key.exists() and certificate.exists())
    changed = create
    if create and module.check_mode:
        module.exit_json(changed=True, created=True, enrolment="absent", keystrokes=secureboot.KEYSTROKES, serial="")
    if create:
        create_key(module, key, certificate, given["common_name"])
    _rc, waiting, _err = module.run_command(["mokutil", "--list-new"])
    _rc, out, err = module.run_command(["mokutil", "--test-key", str(certificate)])
    enrolment = secureboot.enrolment(certificate.read_bytes(), waiting, out + err)
    if enrolment == "absent" and given["stage"]:
        changed = True
        if not module.check_mode:
            stage(module, certificate, password_file)
            enrolment = "staged"
    if enrolment == "enrolled" and password_file.exists():
        changed = True
        if not module.check_mode:
            password_file.unlink()
    told = module.run_command(["openssl", "x509", "-inform", "DER", "-in", str(certificate), "-noout", "-serial"])
    (serial,) = secureboot.serials(told[1]) or {""}
    module.exit_json(
        changed=changed, created=create, enrolment=enrolment, keystrokes=secureboot.KEYSTROKES, serial=serial
    )


if __name__ == "__main__":
    main()
