"""The commands of `fitscope`: each parses, calls and prints. `cli.py` loads this when one runs."""

import dataclasses
import re
import shlex
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, get_args, get_origin

from cyclopts import Group, Parameter
from pydantic.fields import FieldInfo

from fitscope.catalogue import DATASETS, READY
from fitscope.errors import OutputError, UnknownNameError, near_miss
from fitscope.export_command import export
from fitscope.lab_command import lab
from fitscope.plot_command import plot
from fitscope.settings import Spec
from fitscope.specs import (
    FLAT_FIELDS,
    DataSpec,
    NetworkSpec,
    TrainingSpec,
    experiment,
)
from fitscope.specs import experiments as built_in
from fitscope.terminal import print_choices, print_json, print_rows, progress_bar

if TYPE_CHECKING:
    from fitscope.analysis import Summary
    from fitscope.records import Run
    from fitscope.terminal import Advance
    from fitscope.train import Progress

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

INTERRUPTED = 130  # the exit status of a command that Ctrl-C ended

_SPECS: Mapping[str, type[Spec]] = {
    "data": DataSpec,
    "network": NetworkSpec,
    "training": TrainingSpec,
}
_GROUPS = {name: Group(name.capitalize(), sort_key=i) for i, name in enumerate(_SPECS, start=1)}


def _flags(settings: Mapping[str, tuple[str, str]]) -> type:
    """A class with one optional attribute, and so one flag, for each setting."""
    attributes: list[tuple[str, Any, Any]] = []
    for name, (section, field) in settings.items():
        info = _SPECS[section].model_fields[field]
        kind = bool if bool in (info.annotation, *get_args(info.annotation)) else str
        parameter = Parameter(
            help=_help(info),
            group=_GROUPS[section],
            allow_leading_hyphen=kind is str,  # a start may be "-5,-10"
            show_default=False,
        )
        attributes.append((name, Annotated[kind | None, parameter], None))
    namespace = {
        "__module__": __name__
    }  # cyclopts takes a class of the standard library for a value
    return dataclasses.make_dataclass("Flags", attributes, namespace=namespace)


def _help(info: FieldInfo) -> str:
    """What a setting means, with its choices and its default."""
    kinds = [info.annotation, *get_args(info.annotation)]
    choices = [c for kind in kinds if get_origin(kind) is Literal for c in get_args(kind)]
    facts = [", ".join(choices)] if choices else []
    facts += [f"default: {info.default}"] if info.default not in (None, []) else []
    return f"{info.description} [{'; '.join(facts)}]" if facts else str(info.description)


if TYPE_CHECKING:
    Flags = Any
    DataFlags = Any
else:
    Flags = _flags({n: place for n, place in FLAT_FIELDS.items() if n not in ("name", "path")})
    made = {n for info in DATASETS.values() if "n_samples" in info.settings for n in info.settings}
    made -= set(DATASETS["arrays"].settings)  # what is done with data that is there
    DataFlags = _flags({n: ("data", n) for n in DataSpec.model_fields if n in made})

NO_FLAGS, NO_DATA_FLAGS = Flags(), DataFlags()
AnySetting = Annotated[Flags, Parameter(name="*")]
AnyDataSetting = Annotated[DataFlags, Parameter(name="*")]
Json = Annotated[bool, Parameter(name="--json", negative="", help="print one JSON object")]
TableOut = Annotated[str | None, Parameter(name=["--out", "-o"], help="a .csv or .parquet file")]
Step = Annotated[int, Parameter(help="number of updates made; -1 is the end")]


def fit(
    source: str,
    /,
    *,
    out: Annotated[str | None, Parameter(name=["--out", "-o"])] = None,
    report: bool = True,
    data: Annotated[bool, Parameter(name="--data")] = True,
    engine: Literal["auto", "fused", "torch"] = "auto",
    device: Literal["cpu", "cuda"] = "cpu",
    flags: AnySetting = NO_FLAGS,
    json: Json = False,
) -> int:
    """Train, and write a folder with run.safetensors and report.html.

    Args:
        source: a built-in experiment, a data set, a .toml file, or a .csv or .parquet table.
        out: folder for the run and its report, which replace older ones; default: a new one
            under runs/.
        report: write report.html.
        data: keep the samples in the run file.
        engine: what trains: fused is compiled, torch the PyTorch loop; auto takes the faster.
        device: where the torch engine computes.
        flags: settings that replace the experiment's own.
        json: print one JSON object.
    """
    e = experiment(source, **_given(flags))
    with _output_folder(out, source) as folder:
        from fitscope.train import fit as train
        from fitscope.train.plan import plan

        planned = plan(e, {}, engine=engine, device=device)
        if not json:
            print_choices(planned.dataset.preprocessing)
        with progress_bar(e.title or source, "updates", ": starting") as advance:
            run = train(planned, progress=_losses_to(advance))
        files = {"run": folder / "run.safetensors"}
        run.save(files["run"], data=data)
        (folder / "report.html").unlink(missing_ok=True)  # that of an older run
        if report:
            from fitscope.export import save_report

            files["report"] = folder / "report.html"
            save_report(run, files["report"])
    _show_summary(run, step=-1, json=json, files=files)
    return INTERRUPTED if run.outcome.name == "INTERRUPTED" else 0


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

    table = dataset_table(DataSpec(name=name, **_given(flags)))
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
        _show_summary(load(run), step=step, json=json, files={})
        return
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


def _given(flags: Any) -> dict[str, Any]:
    """The settings that were typed."""
    return {name: value for name, value in vars(flags).items() if value is not None}


@contextmanager
def _output_folder(out: str | None, source: str) -> Iterator[Path]:
    """A folder that can be written: the named one, or the first free one under runs/.

    That it cannot be written is said here, before training. What is still empty is removed.
    """
    folder = base = Path(
        out or Path("runs") / (re.sub(r"[^\w.-]+", "-", Path(source).stem) or "run")
    )
    number = 1
    while out is None and folder.exists():
        number += 1
        folder = base.with_name(f"{base.name}-{number}")
    new = [path for path in (folder, *folder.parents) if not path.exists()]
    try:
        _make_writable(folder)
        yield folder
    finally:
        with suppress(OSError):  # a folder with something in it stays
            for path in new:
                path.rmdir()


def _make_writable(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise OutputError(f"Cannot write to the folder {folder}: {error.strerror}.") from None


def _losses_to(advance: "Advance | None") -> "Progress | None":
    """What `fit` tells its progress to, from what moves a bar."""
    if advance is None:
        return None
    return lambda done, planned, loss: advance(done, planned, f", batch loss {loss:.4g}")


def _show_summary(run: "Run", *, step: int, json: bool, files: dict[str, Path]) -> None:
    from fitscope.analysis import summary

    facts = summary(run, step=step)
    if json:
        found = {name: str(path) for name, path in files.items()}
        how = run.dataset.preprocessing
        columns = {"columns": [row._asdict() for row in how.choices()]} if how else {}
        print_json({**dataclasses.asdict(facts), **columns, "files": found})
        return
    print(facts.title)
    print_rows(_summary_rows(facts))
    for name, path in files.items():
        print(f"{name.capitalize() + ':':8}{path}")


def _summary_rows(facts: "Summary") -> dict[str, str]:
    """The short table of a run."""
    test = "" if facts.test_loss is None else f", test {facts.test_loss:.4g}"
    rows = {
        "data": facts.data,
        "network": facts.network,
        "parameters": f"{facts.n_parameters:,}",
        "updates": f"{facts.step:,} of {facts.n_planned:,}",
        "loss": f"train {facts.train_loss:.4g}{test} ({facts.loss})"
        if facts.train_loss is not None
        else "recorded at the ends of epochs only, and this run has no data",
    }
    for name in dict.fromkeys(key.split("_", 1)[1] for key in facts.scores):
        parts = [p for p in ("train", "test") if f"{p}_{name}" in facts.scores]
        rows[name] = ", ".join(f"{p} {facts.scores[f'{p}_{name}']:.4g}" for p in parts)
    rows |= {"outcome": facts.outcome, "time": f"{facts.train_s:.3g} s", "engine": facts.engine}
    if facts.formula:
        rows["learned"] = facts.formula
    if facts.truth:
        rows["true"] = facts.truth
    return rows | {f"note {i}": note for i, note in enumerate(facts.notes, start=1)}
