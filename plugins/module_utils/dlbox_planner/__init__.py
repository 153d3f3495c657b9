"""Decide which driver, CUDA, cuDNN and frameworks fit a machine.

Pure Python, standard library only, no input or output: facts and wishes in, plan out. The same code
serves the Ansible module on the host, the command line and the tests.

    from dlbox_planner.planner import plan
    result = plan(facts, wishes)
"""

from __future__ import annotations

# Mitogen sends a host only what it finds by absolute imports; this names the rest for it, and is never executed.
if __name__ == "__main__":
    import ansible.module_utils.dlbox_planner.advice
    import ansible.module_utils.dlbox_planner.alternatives
    import ansible.module_utils.dlbox_planner.cautions
    import ansible.module_utils.dlbox_planner.data
    import ansible.module_utils.dlbox_planner.driver
    import ansible.module_utils.dlbox_planner.frameworks
    import ansible.module_utils.dlbox_planner.gpus
    import ansible.module_utils.dlbox_planner.intake
    import ansible.module_utils.dlbox_planner.model
    import ansible.module_utils.dlbox_planner.planner
    import ansible.module_utils.dlbox_planner.reasons
    import ansible.module_utils.dlbox_planner.refusals
    import ansible.module_utils.dlbox_planner.text
    import ansible.module_utils.dlbox_planner.toolkit
    import ansible.module_utils.dlbox_planner.versions
