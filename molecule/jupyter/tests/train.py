"""Run on the host: train something small through an environment's Jupyter kernel and print what came of it.

Usage: python train.py KERNEL CODE_FILE. The code is one notebook cell; its text output is printed.
"""

from __future__ import annotations

import sys
from pathlib import Path

import nbclient
import nbformat

kernel, code = sys.argv[1:]
notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(Path(code).read_text(encoding="utf-8"))])
nbclient.NotebookClient(notebook, kernel_name=kernel, timeout=600).execute()
print("".join(output.get("text", "") for output in notebook.cells[0].outputs))
