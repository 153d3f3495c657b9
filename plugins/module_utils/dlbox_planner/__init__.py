"""Decide which driver, CUDA, cuDNN and frameworks fit a machine.

Pure Python, standard library only, no input or output: facts and wishes in, plan out. The same code
serves the Ansible module on the host, the command line and the tests.

    from dlbox_planner.planner import plan
    result = plan(facts, wishes)
"""
