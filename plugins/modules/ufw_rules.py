#!/usr/bin/python
"""Bring ufw to a list of rules in one transaction; see DOCUMENTATION."""

from __future__ import annotations

DOCUMENTATION = r"""
---
module: ufw_rules
short_description: Sync ufw's rules with a list in one transaction
description:
  - The list is the truth. Rules that this module made earlier (known by a comment that begins with C(dlbox:)) and that
    are no longer listed are removed. Rules made by hand are reported and kept or removed.
  - All rules are written at once in ufw's own file format, tried in a network namespace of their own, loaded with one
    C(iptables-restore) per address family, and then compared with what the kernel says. If the kernel says anything
    else, files and kernel are put back as they were.
  - Refuses, before any change and in check mode alike, rules that would not admit a new login by ssh on a port that
    sshd listens on, from each address where somebody is logged in from now.
  - On a host without ufw the list is still validated; in check mode the result is what would be.
options:
  rules:
    description:
      - Rules in the order in which they are to match. Keys are C(name) (required, unique), C(port) (1 to 65535,
        a range like C(8000:8010), a list like C(80,443)) or C(application) (a profile of C(ufw app list)), C(protocol)
        (tcp for a port unless given), C(from), C(to) (C(any), addresses or CIDR networks, one or a list),
        C(interface), C(direction) (in), C(action) (allow, deny, reject), C(limit) (at most six new connections of one
        address in 30 seconds), C(comment).
    type: list
    elements: dict
    default: []
  ssh_ports:
    description: Ports of sshd; a rule for them comes before all others. Empty for none.
    type: list
    elements: int
    default: [22]
  ssh_from:
    description: Where ssh may come from, C(any) or addresses and CIDR networks.
    type: list
    elements: str
    default: [any]
  sshd_ports:
    description: Ports that sshd is about to listen on. Empty stands for those that it listens on now.
    type: list
    elements: int
    default: []
  default_incoming:
    description: What happens to incoming packets that no rule matches.
    type: str
    choices: [deny, reject]
    default: deny
  default_outgoing:
    description: What happens to outgoing packets that no rule matches.
    type: str
    choices: [allow, deny, reject]
    default: allow
  default_routed:
    description: What happens to forwarded packets that no rule matches.
    type: str
    choices: [allow, deny, reject]
    default: deny
  logging:
    description: ufw's logging level.
    type: str
    choices: ["off", low, medium, high, full]
    default: low
  unmanaged:
    description: What happens to rules made by hand.
    type: str
    choices: [keep, remove]
    default: keep
  containers:
    description: Make published container ports follow the list, by Docker's chain DOCKER-USER.
    type: bool
    default: true
  container_interfaces:
    description: The containers' own bridges in iptables' spelling (a closing plus sign matches any rest).
    type: list
    elements: str
    default: [docker0, docker_gwbridge, br-+]
  allow_no_ssh:
    description: Go on even when no rule would admit ssh, or not from where people are logged in from now.
    type: bool
    default: false
  backup_dir:
    description: Directory for copies of the files before each change; the latest ten are kept.
    type: path
    default: /var/lib/dlbox/ufw
extends_documentation_fragment: [dlbox.workstation.predictable]
"""

EXAMPLES = r"""
- name: Admit ssh, a web server and Jupyter from the home network
  dlbox.workstation.ufw_rules:
    rules:
      - {name: web, port: "80,443"}
      - {name: jupyter, port: 8888, from: 192.168.1.0/24, comment: notebooks}
"""

RETURN = r"""
installed:
  description: Whether ufw is there; without it nothing is changed.
  type: bool
  returned: success
added:
  description: Rules that were (or would be) added, as sentences.
  type: list
  elements: str
  returned: success
removed:
  description: Rules that were (or would be) removed, as sentences.
  type: list
  elements: str
  returned: success
unmanaged:
  description: Rules made by hand that ufw had, whether kept or removed.
  type: list
  elements: str
  returned: success
outside:
  description: Rules that accept incoming packets without being ufw's.
  type: list
  elements: str
  returned: success
drift:
  description: What the kernel had otherwise than the files said, as sentences; empty when the files change too.
  type: list
  elements: str
  returned: success
verified:
  description: How the kernel was compared, C(rules) one by one or C(counts) where no scratch namespace could be made.
  type: str
  returned: when ufw is installed and no change is pending
ssh_ports:
  description: Ports on which sshd takes logins from outside.
  type: list
  elements: int
  returned: success
backup:
  description: Directory with the files as they were.
  type: str
  returned: when files changed
"""

from typing import Any

from ansible.module_utils.basic import AnsibleModule

from ..module_utils.firewall import plan as planning
from ..module_utils.firewall import transaction, userfile
from ..module_utils.firewall.state import FirewallError, gather_state


def main() -> None:
    """Validate the specs, compare, and change what differs."""
    module = AnsibleModule(
        argument_spec={
            "rules": {"type": "list", "elements": "dict", "default": []},
            "ssh_ports": {"type": "list", "elements": "int", "default": [22]},
            "ssh_from": {"type": "list", "elements": "str", "default": ["any"]},
            "sshd_ports": {"type": "list", "elements": "int", "default": []},
            "default_incoming": {"type": "str", "choices": ["deny", "reject"], "default": "deny"},
            "default_outgoing": {"type": "str", "choices": ["allow", "deny", "reject"], "default": "allow"},
            "default_routed": {"type": "str", "choices": ["allow", "deny", "reject"], "default": "deny"},
            "logging": {"type": "str", "choices": list(userfile.LOG_LEVELS), "default": "low"},
            "unmanaged": {"type": "str", "choices": ["keep", "remove"], "default": "keep"},
            "containers": {"type": "bool", "default": True},
            "container_interfaces": {
                "type": "list",
                "elements": "str",
                "default": ["docker0", "docker_gwbridge", "br-+"],
            },
            "allow_no_ssh": {"type": "bool", "default": False},
            "backup_dir": {"type": "path", "default": "/var/lib/dlbox/ufw"},
        },
        supports_check_mode=True,
    )
    module.run_command_environ_update = {"LC_ALL": "C"}
    try:
        module.exit_json(**run(module))
    except FirewallError as error:
        module.fail_json(msg=str(error), **error.details)


def run(module: AnsibleModule) -> dict[str, Any]:
    """Return the module's result; raises FirewallError."""
    specs = planning.validated_specs(module.params)
    state = gather_state(module)
    plan = planning.make_plan(module.params, specs, state)
    result = planning.report(plan, state)
    refusal = "" if module.params["allow_no_ssh"] else planning.lockout_refusal(module.params, plan, state)
    if refusal:
        raise FirewallError(refusal, **result)
    if not state.installed:
        return {"changed": module.check_mode, "diff": planning.readable_difference(plan, state, []), **result}

    expected = {family: transaction.expected_table(module, plan, family) for family in state.saved}
    writes = {path: text for path, text in plan.files.items() if text != state.files[path]}
    # Where the files are about to change, the kernel differs from the plan for that reason alone.
    drift = [] if writes else transaction.kernel_differences(plan, state.saved, expected)
    changed = bool(writes or drift or not state.boot_enabled)
    result.update(changed=changed, drift=drift, diff=planning.readable_difference(plan, state, drift))
    if changed and not module.check_mode:
        result["backup"] = transaction.apply_plan(module, plan, state, writes, expected)
    if not module.check_mode or not changed:
        result["verified"] = "rules" if all(text is not None for text in expected.values()) else "counts"
    return result


if __name__ == "__main__":
    main()
