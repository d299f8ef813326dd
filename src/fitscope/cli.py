"""The command line. Commands load when they run, so that `--help` is quick."""

import sys
from typing import NoReturn

from cyclopts import App, CycloptsError

from fitscope import __version__
from fitscope.errors import FitscopeError

__all__ = ["COMMANDS", "app", "main"]

app = App(
    name="fitscope",
    help="See a model learn: train small networks, record every step, look at what was learned.",
    version=__version__,
    help_format="plaintext",  # markdown would load a parser for it
    suppress_keyboard_interrupt=False,
)
COMMANDS = {
    "fit": "Train, and write a folder with run.safetensors and report.html.",
    "experiments": "List the built-in experiments.",
    "data": "List the data sets, describe one, or write it to a file.",
    "show": "Print a run's summary, at the end or at any step.",
    "plot": "Draw a view of a run to a file, or list the views.",
    "export": "Write a run as a page, a film, a table, a script, or a model for other programs.",
    "predict": "Append predictions to a table: the class and its probabilities, or the value.",
    "lab": "See models learn in the browser: pick data, shape a network, press play.",
    "lesson": "List the lessons, or open one in Jupyter.",
}
for _position, (_name, _help) in enumerate(COMMANDS.items()):
    app.command(f"fitscope.commands:{_name}", name=_name, help=_help, sort_key=_position)


def main() -> NoReturn:
    """Runs the command line: the user's errors are one line on stderr and exit status 2."""
    try:
        sys.exit(app(exit_on_error=False, print_error=False, result_action="return_value"))
    except (CycloptsError, FitscopeError) as error:
        _fail(str(error), 2)
    except BrokenPipeError:  # whoever reads our output has seen enough
        sys.stderr.close()
        sys.exit(0)
    except KeyboardInterrupt:
        _fail("interrupted.", 130)


def _fail(message: str, status: int) -> NoReturn:
    print(f"Error: {message}", file=sys.stderr)
    sys.exit(status)
