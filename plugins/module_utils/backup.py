"""Copies of files before they are replaced, in a folder of their own that only root reads."""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterable
from pathlib import Path

LATEST_KEPT = 9


def keep_copies(root: Path, paths: Iterable[str]) -> str:
    """Copy the files that exist into a new folder below root; the folder's path.

    The first such folder, which has the files as they were found, and the latest are kept.

    Raises OSError.
    """
    folder = root / time.strftime("%Y%m%dT%H%M%SZ", time.gmtime())
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    for path in paths:
        if Path(path).exists():
            shutil.copy2(path, folder / path.lstrip("/").replace("/", "_"))
    for old in sorted(child for child in root.iterdir() if child.is_dir())[1:-LATEST_KEPT]:
        shutil.rmtree(old)
    return str(folder)
