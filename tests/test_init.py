"""The table of contents: every name of `fitscope`, whatever was used before it."""

import itertools
import subprocess
import sys

import pytest

import fitscope as fs


@pytest.mark.slow
@pytest.mark.parametrize("first", ["experiment", "fit"])
def test_a_name_stays_what_it_is(first: str) -> None:
    """A name gives the same thing at every use, in whatever order names are used.

    The import of a submodule sets it as an attribute, so none may be called like a name.
    """
    uses = list(itertools.chain([first], fs.__all__, fs.__all__))
    code = (
        "import fitscope as fs, types\n"
        f"found = [getattr(fs, name) for name in {uses}]\n"
        "modules = [thing.__name__ for thing in found if isinstance(thing, types.ModuleType)]\n"
        "assert set(modules) == {'fitscope.notebook.explore'}, modules\n"
        "print(len(set(map(id, found))))"
    )
    done = subprocess.run([sys.executable, "-c", code], check=False, capture_output=True, text=True)
    assert done.stderr == ""
    assert int(done.stdout) == len(fs.__all__)


def test_an_unknown_name_is_an_attribute_error() -> None:
    """A name that is not there is the error that Python users expect."""
    with pytest.raises(AttributeError, match="module 'fitscope' has no attribute 'fitt'"):
        _ = fs.fitt
