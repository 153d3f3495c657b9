"""What an OpenSSH server offers, how it is configured, and who can log in to it."""

from __future__ import annotations

# Mitogen sends a host only what it finds by absolute imports; this names the rest for it, and is never executed.
if __name__ == "__main__":
    import ansible.module_utils.dlbox_ssh.asking
    import ansible.module_utils.dlbox_ssh.config
    import ansible.module_utils.dlbox_ssh.criteria
    import ansible.module_utils.dlbox_ssh.listen
    import ansible.module_utils.dlbox_ssh.logins
    import ansible.module_utils.dlbox_ssh.passwords
    import ansible.module_utils.dlbox_ssh.reading
    import ansible.module_utils.dlbox_ssh.revoked
