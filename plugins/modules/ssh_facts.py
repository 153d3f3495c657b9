#!/usr/bin/python
"""Read what the host's OpenSSH can do and how it is started, in one round trip."""

from __future__ import annotations

DOCUMENTATION = r"""
---
module: ssh_facts
short_description: Read what the host's OpenSSH can do and how it is started
description:
  - One call for what decisions about sshd need. It changes nothing and works on a host without an ssh server.
options: {}
author: dlbox
"""

EXAMPLES = r"""
- name: Look at the ssh server
  ssh_facts:
  register: server
"""

RETURN = r"""
installed:
  description: Whether sshd is there. Without it the lists below are empty.
  type: bool
version:
  description: What C(ssh -V) says, for people.
  type: str
algorithms:
  description: "What C(ssh -Q) offers, by its query: kex, mac, cipher, hostkey and pubkey (signature algorithms)."
  type: dict
keywords:
  description: Keywords in lower case that this sshd knows.
  type: list
host_keys:
  description: "Host keys in /etc/ssh: type, bits, path of the private key, fingerprint, public (without comment)."
  type: list
socket:
  description: "Whether ssh.socket is used (enabled or active), and has a generator that follows Port in sshd_config."
  type: dict
weak_moduli:
  description: Number of groups in /etc/ssh/moduli with less than 3071 bits.
  type: int
pam:
  description: Text of /etc/pam.d/sshd; empty where there is none.
  type: str
connecting_user:
  description: The account that this connection logged in to, before it became root.
  type: str
"""

import os
import pwd
import re
from pathlib import Path
from typing import Any

from ansible.module_utils.basic import AnsibleModule
from ansible.module_utils.dlbox_ssh import keys

# The words of ssh -Q in the releases of Debian 12 and Ubuntu 22.04 and newer.
QUERIES = {
    "kex": "kex",
    "mac": "mac",
    "cipher": "cipher",
    "hostkey": "HostKeyAlgorithms",
    "pubkey": "PubkeyAcceptedAlgorithms",
}
SOCKET_GENERATORS = (
    "/usr/lib/systemd/system-generators/sshd-socket-generator",
    "/lib/systemd/system-generators/sshd-socket-generator",
)
MODULI_BITS = 3071


def weak_moduli(text: str) -> int:
    """Number of lines of moduli(5) whose size, the fifth word, is below MODULI_BITS."""
    sizes = [line.split()[4] for line in text.splitlines() if line.strip() and not line.startswith("#")]
    return sum(int(size) < MODULI_BITS for size in sizes if size.isdigit())


def host_keys(folder: Path) -> list[dict[str, Any]]:
    """The host keys of a directory, by their public halves."""
    found = []
    for public in sorted(folder.glob("ssh_host_*_key.pub")):
        try:
            key = keys.parse_line(public.read_text())
        except (keys.MalformedKey, IndexError):
            continue
        private = str(public.with_suffix(""))
        if Path(private).exists():
            text = f"{key.type} {key.blob}"
            found.append(
                {"type": key.type, "bits": key.bits, "path": private, "fingerprint": key.fingerprint, "public": text}
            )
    return found


def connecting_user() -> str:
    """The account before sudo; the own one where sudo did not come in between."""
    return os.environ.get("SUDO_USER") or pwd.getpwuid(os.getuid()).pw_name


def main() -> None:
    """Ask the binaries and units."""
    module = AnsibleModule(argument_spec={}, supports_check_mode=True)

    def run(*words: str) -> str:
        code, out, err = module.run_command(list(words))
        return (out + err if words[-1] == "-V" else out) if code == 0 or words[-1] == "-V" else ""

    sshd = module.get_bin_path("sshd", opt_dirs=["/usr/sbin"])
    folder = Path("/etc/ssh")
    ssh = module.get_bin_path("ssh")
    found = host_keys(folder) if folder.is_dir() else []
    algorithms = {name: run(ssh, "-Q", query).split() if ssh and sshd else [] for name, query in QUERIES.items()}
    keywords: list[str] = []
    if sshd and found:
        made = not Path("/run/sshd").exists()
        if made:
            Path("/run/sshd").mkdir(mode=0o755)
        defaults = run(sshd, "-T", "-f", "/dev/null", "-h", found[0]["path"])
        if made:
            Path("/run/sshd").rmdir()
        keywords = sorted({line.split()[0].lower() for line in defaults.splitlines() if line})
    states = [run("systemctl", verb, "ssh.socket").strip() for verb in ("is-enabled", "is-active")]
    moduli = folder / "moduli"
    pam = Path("/etc/pam.d/sshd")
    module.exit_json(
        changed=False,
        installed=bool(sshd),
        version=re.split(r"[\s,]", run(ssh, "-V"))[0] if ssh else "",
        algorithms=algorithms,
        keywords=keywords,
        host_keys=found,
        socket={
            "used": states[0] == "enabled" or states[1] == "active",
            "generator": any(map(os.path.exists, SOCKET_GENERATORS)),
        },
        weak_moduli=weak_moduli(moduli.read_text()) if moduli.exists() else 0,
        pam=pam.read_text() if pam.exists() else "",
        connecting_user=connecting_user(),
    )


if __name__ == "__main__":
    main()
