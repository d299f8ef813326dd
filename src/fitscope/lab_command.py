"""`fitscope lab`: serves the page, and opens it."""

import os
import sys
import threading
import webbrowser
from typing import Annotated

from cyclopts import Parameter

from fitscope.flags import Json
from fitscope.terminal import print_json

__all__ = ["lab"]


def lab(
    source: str | None = None,
    /,
    *,
    workspace: str = "fitscope-lab",
    host: str = "127.0.0.1",
    port: int | None = None,
    open_: Annotated[bool, Parameter(name="--open")] = True,
    json: Json = False,
) -> None:
    """See models learn in the browser: pick data, shape a network, press play.

    Args:
        source: what the page shows first: a built-in experiment, a data set, a .toml file, a
            .csv or .parquet table, or a run file.
        workspace: the folder for tables and runs that are kept.
        host: the address to listen at; another than this machine's own wants a token, which
            stands in the link.
        port: the port, or 0 for any that is free; default: the first free one from 8765 on.
        open_: open the page in a browser.
        json: print one JSON object.
    """
    from fitscope.lab.first import first_of
    from fitscope.lab.serving import Server, open_door
    from fitscope.lab.state import Lab

    served = Lab(workspace)
    if source is not None:
        served.first = first_of(source, served)
    door = open_door(host, port)
    if json:
        print_json({"link": door.link, "workspace": str(served.workspace.folder)})
    else:
        print(f"The lab is at {door.link}\nCtrl-C ends it.")
    sys.stdout.flush()
    if open_:  # a browser of the terminal would keep this thread
        threading.Thread(target=webbrowser.open, args=(door.link,), daemon=True).start()
    Server(served, door).serve_until_told()
    if served.is_at_work:
        # What cannot be stopped, such as a library that is being loaded, would abort the process
        # when Python takes its threads away from under it. All files are written.
        sys.stdout.flush()
        os._exit(0)
