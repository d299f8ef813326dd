"""The commands of `fitscope`: each parses, calls and prints. `cli.py` loads this when one runs."""

import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from fitscope.catalogue import READY
from fitscope.errors import ExperimentError, OutputError, UnknownNameError, near_miss
from fitscope.export_command import export
from fitscope.fit_command import INTERRUPTED, fit
from fitscope.flags import NO_DATA_FLAGS, AnyDataSetting, Json, given
from fitscope.lab_command import lab
from fitscope.plot_command import plot
from fitscope.specs import (
    DataSpec,
    experiment,
)
from fitscope.specs import experiments as built_in
from fitscope.terminal import print_json, print_rows, print_summary

if TYPE_CHECKING:
    pass

__all__ = [
    "INTERRUPTED",
    "data",
    "experiments",
    "export",
    "fit",
    "lab",
    "lesson",
    "plot",
    "predict",
    "show",
]


TableOut = Annotated[str | None, Parameter(name=["--out", "-o"], help="a .csv or .parquet file")]
Step = Annotated[int, Parameter(help="number of updates made; -1 is the end")]


def experiments(*, json: Json = False) -> None:
    """List the built-in experiments."""
    found = {name: experiment(name) for name in built_in()}
    if json:
        print_json({n: e.model_dump(exclude_none=True) for n, e in found.items()})
    else:
        print_rows({name: e.about for name, e in found.items()})
        print("\nTrain one with: fitscope fit NAME")


def data(
    name: str | None = None,
    /,
    *,
    out: TableOut = None,
    flags: AnyDataSetting = NO_DATA_FLAGS,
    json: Json = False,
) -> None:
    """List the data sets, describe one, or write it to a file.

    Args:
        name: a data set; leave it out to list them all.
        out: a .csv or .parquet file.
        flags: settings of the data set.
        json: print one JSON object.
    """
    if name is None:
        rows = {n: info.about for n, info in READY.items()}
        if json:
            print_json(rows)
        else:
            print_rows(rows)
            print("\nWrite one with: fitscope data NAME -o FILE.csv")
        return
    if name not in READY:
        raise UnknownNameError(
            f"`{name}` is not a data set.{near_miss(name, READY)} `fitscope data` lists them."
        )
    from fitscope.data import dataset_table, write_table

    table = dataset_table(DataSpec(name=name, **given(flags)))
    *features, target = table.column_names
    if out is not None:
        write_table(table, out)
    if json:
        facts = {"name": name, "rows": table.num_rows, "features": features, "target": target}
        print_json({**facts, "file": out})
        return
    print(f"{READY[name].about}")
    if name == "threshold":
        print("These are its training samples; its test set is drawn anew and not part of them.")
    print(f"{table.num_rows:,} rows; features: {', '.join(features)}; target: {target}")
    if out is not None:
        command = shlex.join(["fitscope", "fit", out, "--target", target])
        print(f"Written to {out}. Train on it with: {command}")


def show(
    run: str,
    /,
    *,
    step: Step = -1,
    coefficients: Annotated[bool, Parameter(negative="")] = False,
    json: Json = False,
) -> None:
    """Print a run's summary, at the end or at any step.

    Args:
        run: a run file, or the folder that `fit` wrote.
        step: number of updates made; -1 is the end.
        coefficients: instead, a linear model's coefficients with standard errors and p-values.
        json: print one JSON object.
    """
    from fitscope.runfile import load

    if not coefficients:
        print_summary(load(run), step=step, json=json)
        return
    if step != -1:
        raise ExperimentError(["Coefficients are those of the end; leave out --step."])
    found = load(run).summary()
    if json:
        print_json({"title": found.title, "coefficients": found.rows()})
    else:
        print(found)


def predict(
    run: str, table: str, /, *, out: TableOut = None, step: Step = -1, json: Json = False
) -> None:
    """Append predictions to a table: the class and its probabilities, or the value.

    Args:
        run: a run file, or the folder that `fit` wrote.
        table: a .csv or .parquet file with the run's input columns.
        out: a .csv or .parquet file; default: CSV on the terminal.
        step: number of updates made; -1 is the end.
        json: print one JSON object.
    """
    from fitscope.data import read_table, write_table
    from fitscope.export import predicted_table
    from fitscope.runfile import load

    if out is not None and Path(out).exists() and Path(out).samefile(table):
        raise OutputError(f"{out} is the table itself; name another file for the answers.")
    loaded = load(run)
    how = loaded.dataset.preprocessing
    asked = read_table(table, texts=how.texts if how else ())
    to_csv = out is None or Path(out).suffix.lower() == ".csv"  # whose cells stay as written
    written = read_table(table, as_text=True) if to_csv else asked
    answered = predicted_table(loaded, asked, onto=written, source=table, step=step, remark=_remark)
    if out is not None:
        write_table(answered, out)
    if json:
        new = answered.column_names[asked.num_columns :]
        facts = {"rows": answered.num_rows, "columns": answered.column_names, "file": out}
        print_json(facts | {name: answered[name].to_pylist() for name in new})
    elif out is None:
        write_table(answered, sys.stdout.buffer)
    else:
        print(f"{answered.num_rows:,} rows with predictions written to {out}.")


def lesson(
    number: int | None = None,
    /,
    *,
    open_: Annotated[bool, Parameter(name="--open")] = True,
    json: Json = False,
) -> int:
    """List the lessons, or open one in Jupyter.

    Args:
        number: which lesson; leave it out to list them all.
        open_: open the notebook, which is written to the current folder as lesson-N.ipynb.
        json: print one JSON object.
    """
    from fitscope.lessons import jupyter, lesson_text, lessons, open_notebook, write_notebook

    if number is None:
        known = lessons()
        if json:
            print_json({"lessons": [{"number": n, **known[n]._asdict()} for n in known]})
        else:
            print_rows({str(n): found.title for n, found in known.items()})
            print("\nOpen one with: fitscope lesson NUMBER")
        return 0
    lesson_text(number)
    if open_:
        jupyter()  # that one or the other is not there is said before anything is written
    path = Path(f"lesson-{number}.ipynb")
    written = write_notebook(number, path)
    if json:
        print_json({"file": str(path), "written": written})
    else:
        print(f"Written to {path}." if written else f"{path} is there already and stays as it is.")
    return open_notebook(path) if open_ else 0


def _remark(sentence: str) -> None:
    """What is odd about a table, where it does not stand among the answers."""
    print(f"Note: {sentence}", file=sys.stderr)
