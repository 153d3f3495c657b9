"""Start a Jupyter kernel by name, run the smoke program in it, print what it printed.

Run with the Jupyter environment's Python. Standard input: {"kernel": name, "smoke": program text, "modules": [name...],
"timeout": seconds}. A kernel that does not start or answer is an "import_error" in the printed JSON.
"""

import json
import sys
from typing import Any


def ask(job: dict[str, Any]) -> str:
    """The smoke program's line of JSON for the first module, run inside the kernel."""
    from jupyter_client.manager import start_new_kernel

    manager, client = start_new_kernel(kernel_name=job["kernel"], startup_timeout=job["timeout"])
    printed = []

    def collect(message: dict[str, Any]) -> None:
        if message["msg_type"] == "stream":
            printed.append(message["content"]["text"])

    try:
        code = "import sys\nsys.argv = ['smoke', {!r}]\n{}".format(job["modules"][0], job["smoke"])
        reply = client.execute_interactive(code, timeout=job["timeout"], output_hook=collect, store_history=False)
        if reply["content"]["status"] != "ok":
            return json.dumps({"import_error": "{}: {}".format(reply["content"]["ename"], reply["content"]["evalue"])})
        return "".join(printed)
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)


if __name__ == "__main__":
    job = json.load(sys.stdin)
    try:
        print(ask(job))
    except Exception as error:
        print(
            json.dumps(
                {
                    "import_error": "the Jupyter kernel {} did not answer: {}: {}".format(
                        job["kernel"], type(error).__name__, error
                    )
                }
            )
        )
