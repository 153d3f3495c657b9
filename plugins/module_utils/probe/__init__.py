"""Gather on a host, in one round trip, everything that the doctor's checks evaluate; a file for each area.

The package needs only the standard library (Python 3.10 and newer) and what runner.LIBRARY names, because it travels:
the doctor sends the texts over testinfra's connection, the module `host_evidence` imports it. It only reads: no file,
setting or service is changed. What an account can write is read and run with that account's rights, or a fresh one's.

`collect(settings)` returns a JSON-able dict, the *evidence*: one key per collector, and `errors`, which maps one that
failed to the reason. A command's answer is `{"rc": int | None, "out": str, "err": str}`; `rc` None means that the
command does not exist or did not end in time, with the reason in `err`. No collector raises.
"""
