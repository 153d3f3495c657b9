"""Take everything away that dlbox made below the environments' root, and nothing else."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from . import environment, installed, manifest

# What belongs to the base environment beside its packages' files.
BASE = {"conda-meta", ".condarc", ".cache", "CACHEDIR.TAG", "pip.conf", ".nonadmin"}
ENGINE = ("venv", "requirements.txt", "made-of")


@dataclass
class Removal:
    """What goes, those of it that are folders to be empty by then, and in words what was found and is not dlbox's."""

    goes: list[Path] = field(default_factory=list)
    folders: set[Path] = field(default_factory=set)
    stays: list[str] = field(default_factory=list)


def made_here(root: Path) -> dict[str, Path]:
    """Name -> prefix of every environment that dlbox made below `root`; the base environment is `base`."""
    found = {"base": root} if environment.made_by_dlbox(root) else {}
    for prefix in sorted((root / "envs").glob("*")):
        if not prefix.is_symlink() and environment.made_by_dlbox(prefix):
            found[prefix.name] = prefix
    return found


def objections(root: Path, names: Sequence[str]) -> list[str]:
    """Why these names are not the ones of all environments there, as sentences."""
    made = made_here(root)
    problems = []
    unnamed = sorted(made.keys() - set(names))
    if unnamed:
        problems.append(
            f"`names` does not name {', '.join(unnamed)}, which dlbox made in {root}. To remove everything, name "
            f"every one of them: names: [{', '.join(sorted(made))}]"
        )
    for name in names:
        prefix = root / "envs" / name
        if name not in made and name != "base" and (prefix.exists() or prefix.is_symlink()):
            problems.append(f"`names` has {name}, but {prefix} was not made by dlbox; it is left alone")
    return problems


def top_level(root: Path) -> set[str]:
    """The names directly below `root` that the base environment's packages brought."""
    listed = root / manifest.NAME
    paths = [line.split(" ", 2)[2] for line in listed.read_text().splitlines()] if listed.exists() else []
    paths += [entry.path for package in installed.conda_packages(root).values() for entry in package.files]
    return {path.split("/", 1)[0] for path in paths} - {"envs"}


def plan(root: Path, engine: Path) -> Removal:
    """What to remove: the environments, the base environment, the caches, the engine."""
    out = Removal()
    made = made_here(root)
    out.goes += [prefix for name, prefix in made.items() if name != "base"]
    own = BASE | (top_level(root) if "base" in made else set())
    if "base" not in made:
        own &= {".cache", ".condarc"}
    # conda-meta last: as long as it is there, an interrupted removal can be told from somebody else's folder.
    for place in sorted(root.iterdir(), key=lambda p: (p.name == "conda-meta", p.name)) if root.is_dir() else []:
        if place.name in own:
            out.goes.append(place)
        elif place.name != "envs":
            out.stays.append(f"{place} (dlbox did not put it there)")
    for place in sorted((root / "envs").glob("*")):
        if place not in out.goes and not place.name.startswith(".removed-"):
            out.stays.append(f"{place} (dlbox did not make it)")
    out.goes += [engine / name for name in ENGINE if (engine / name).exists()]
    # Folders that hold nothing else; the engine's parent only where its name says that it is dlbox's.
    for folder in (root / "envs", root, engine, *([engine.parent] if engine.parent.name == "dlbox" else [])):
        if folder.is_dir() and empties(folder, out.goes):
            out.goes.append(folder)
            out.folders.add(folder)
    return out


def empties(folder: Path, goes: Sequence[Path]) -> bool:
    """Whether nothing is left in `folder` when all of `goes` is gone."""
    return all(place in goes or place.name.startswith(".removed-") for place in folder.iterdir())


def carry_out(removal: Removal, root: Path) -> None:
    """Remove what `plan` names."""
    environment.clear_trash(root)
    for place in removal.goes:
        if place in removal.folders:
            place.rmdir()
        elif place.is_dir() and not place.is_symlink():
            # An environment is out of sight at once; an interrupted removal is finished by the next.
            if place.parent == root / "envs":
                environment.remove(place, root, check=False)
            else:
                shutil.rmtree(place)
        else:
            place.unlink(missing_ok=True)
