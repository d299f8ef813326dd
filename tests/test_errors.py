"""Laws of the errors: each is ours and a builtin, and its hints are near."""

import pickle
import re

import pytest

import fitscope.errors
from fitscope.errors import ExperimentError, FitscopeError, near_miss

ERRORS = {
    "ExperimentError": ValueError,
    "UnknownNameError": LookupError,
    "DataError": ValueError,
    "EngineError": RuntimeError,
    "MissingExtraError": ImportError,
    "RunFileError": ValueError,
    "InputFileError": OSError,
    "OutputError": OSError,
}


@pytest.mark.parametrize(("name", "builtin"), ERRORS.items())
def test_every_error_is_ours_and_the_builtin_it_resembles(name, builtin):
    """`except FitscopeError` and `except` of the builtin both catch it; the tree shows it."""
    error = getattr(fitscope.errors, name)
    assert issubclass(error, FitscopeError)
    assert issubclass(error, builtin)
    assert re.search(rf"── {name} +\({builtin.__name__}\)", fitscope.errors.__doc__)


SERVER = "fitscope.lab."  # its refusals leave it as answers with a status, never as exceptions


def test_the_table_of_errors_is_complete():
    """No error is raised on purpose that this table, and so the tree, leaves out."""
    assert {*ERRORS, "FitscopeError", "near_miss"} == set(fitscope.errors.__all__)
    raised = [e for e in FitscopeError.__subclasses__() if not e.__module__.startswith(SERVER)]
    assert {error.__name__ for error in raised} == set(ERRORS)


@pytest.mark.parametrize("name", ERRORS)
def test_every_error_keeps_its_text_when_pickled(name):
    """An error that crosses to another process says there what it said here."""
    error = getattr(fitscope.errors, name)
    made = error(["Wrong."]) if error is ExperimentError else error("Wrong.")
    back = pickle.loads(pickle.dumps(made))  # noqa: S301
    assert type(back) is error
    assert str(back) == "Wrong."


def test_an_experiment_error_pickles_with_its_problems():
    """The list of problems survives pickling, not just the text made of it."""
    error = pickle.loads(pickle.dumps(ExperimentError(["one.", "two."])))  # noqa: S301
    assert error.problems == ("one.", "two.")
    assert str(error) == "2 settings are wrong:\n  - one.\n  - two."


@pytest.mark.parametrize(
    ("name", "known", "hint"),
    [
        ("tahn", ["sigmoid", "tanh"], " Did you mean `tanh`?"),
        ("DIAGNOSIS", ["diagnosis", "age"], " Did you mean `diagnosis`?"),
        ("diagnosi", ["DIAGNOSIS", "age"], " Did you mean `DIAGNOSIS`?"),
        ("zzz", ["rings-3"], ""),
        ("any", [], ""),
    ],
)
def test_a_near_miss_is_a_known_name_as_it_is_written(name, known, hint):
    """The nearest known name is asked about, whatever the capitals; nothing where none is near."""
    assert near_miss(name, known) == hint
