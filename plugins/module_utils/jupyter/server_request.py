"""What is wrong with a request for servers, in sentences, before anything is changed."""

from __future__ import annotations

import os
import pwd
from pathlib import Path
from typing import Any

from .. import run_as
from . import password as passwords
from . import settings


def request_problems(params: dict[str, Any], known: dict[str, pwd.struct_passwd], check_mode: bool) -> list[str]:
    """Everything that is wrong with the request, in sentences."""
    found = []
    ports = params["ports"]
    for user, port in ports.items():
        sharing = sorted(other for other, theirs in ports.items() if str(theirs) == str(port))
        if len(sharing) > 1 and user == sharing[0]:
            found.append(f"port {port} is given to {' and '.join(sharing)}; each server needs its own (ports)")
        if not str(port).isdecimal() or not 1024 <= int(port) <= 65535:
            found.append(f"port {port} of {user} is not a number from 1024 to 65535")
    for user, given in params["passwords"].items():
        if user not in ports:
            found.append(f"passwords names {user}, who is not in ports ({', '.join(ports) or 'nobody'})")
            continue
        try:
            passwords.check(user, str(given))
        except passwords.Refused as error:
            found.append(str(error))
    if params["start_folder"] != "~" and not params["start_folder"].startswith(("/", "~/")):
        found.append(f"start_folder is {params['start_folder']}; expected ~, ~/FOLDER or an absolute path")
    unknown = [] if check_mode else [user for user in ports if user not in known]
    if unknown:
        found.append(
            f"no account named {', '.join(unknown)} on this host: create it (each admin gets one), or "
            "leave it out of ports"
        )
    undone = settings.refused(params["settings"])
    if undone:
        found.append(f"settings may not set {', '.join(undone)}, which keep the server private")
    if ports and not check_mode and not Path(params["python"]).is_file():
        found.append(
            f"{params['python']} does not exist: JupyterLab needs its environment first "
            "(make it with conda_env, or name another one's interpreter in python)"
        )
    elif ports and os.geteuid() == 0 and Path(params["python"]).exists():
        loose = run_as.root_only(params["python"])
        if loose:
            found.append(
                f"{loose}, and the JupyterLab of every account would run from there: "
                "make the environment root's alone, or name another one's interpreter in python"
            )
    return found + unsafe_folders(params["links"])


def unsafe_folders(folders: list[dict[str, Any]]) -> list[str]:
    """Data folders whose owner and mode root would set, and at whose place others could put a link, in sentences."""
    found = []
    places = {os.path.normpath(item["path"]): item for item in folders}
    for path in places:
        problem = run_as.root_places(path) if os.geteuid() == 0 else ""
        for above, item in places.items():
            mode = int(str(item.get("mode") or "0755"), 8)
            given = mode & 0o022 or (item.get("owner") or "root") != "root"
            if path.startswith(f"{above}/") and given and not problem:
                problem = f"{above} will be writable by others than root (owner, mode)"
        if problem:
            found.append(
                f"links names the folder {path}, but {problem}, who could put a link in its place. Name a folder "
                "whose parents root alone can write; what lies in it its owner and group make themselves"
            )
    return found
