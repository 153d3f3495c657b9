"""In place of the get-pip.py that ansible-test downloads: the Python's own ensurepip, then the pip that is asked for.

ansible-test's file comes from a server of its own and carries pip itself; this one takes it from the package index.
"""

import runpy
import subprocess
import sys

subprocess.run([sys.executable, "-m", "ensurepip"], check=True, stdout=subprocess.DEVNULL)
sys.argv = ["pip", "install", *(word for word in sys.argv[1:] if word not in ("--no-setuptools", "--no-wheel"))]
runpy.run_module("pip", run_name="__main__", alter_sys=True)
