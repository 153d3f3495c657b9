"""The firewall as data: rules, ufw's files, the kernel's answer. Pure functions; nothing here runs a process."""

from __future__ import annotations

# Mitogen sends a host only what it finds by absolute imports; this names the rest for it, and is never executed.
if __name__ == "__main__":
    import ansible.module_utils.dlbox_firewall.admission
    import ansible.module_utils.dlbox_firewall.containers
    import ansible.module_utils.dlbox_firewall.entries
    import ansible.module_utils.dlbox_firewall.expand
    import ansible.module_utils.dlbox_firewall.kernel
    import ansible.module_utils.dlbox_firewall.merge
    import ansible.module_utils.dlbox_firewall.settings
    import ansible.module_utils.dlbox_firewall.userfile
    import ansible.module_utils.dlbox_firewall.wishes
