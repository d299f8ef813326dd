"""The report: one HTML file that shows a run, with nothing loaded from anywhere."""

import html
import re
from collections.abc import Iterable
from importlib import resources
from pathlib import Path

from matplotlib.figure import Figure

from fitscope import analysis, plot
from fitscope.analysis import Summary
from fitscope.errors import DataError
from fitscope.export.reproduce import command_line, python_snippet
from fitscope.network import parameter_names
from fitscope.records import Outcome, Run
from fitscope.runfile import write_atomically

__all__ = ["report_html", "save_report"]

MAX_PARAMETER_ROWS = 500


def save_report(run: Run, path: str | Path) -> None:
    """Writes the report of a run to an HTML file.

    Raises:
        OutputError: the file cannot be written.
    """
    write_atomically(path, report_html(run).encode())


def report_html(run: Run) -> str:
    """The report of a run as one HTML document."""
    facts = analysis.summary(run)
    style = (resources.files("fitscope.export") / "report.css").read_text(encoding="utf-8")
    title = html.escape(facts.title or "fitscope run")
    about = html.escape(run.experiment.about)
    body = [
        f"<header><p class=brand>fitscope</p><h1>{title}</h1>",
        f"<p class=about>{about}</p>" if about else "",
        f"<p class=lead>{html.escape(facts.sentence)}</p>",
        _warning(run),
        "</header>",
        _numbers(facts),
        _formulas(facts),
        f"<div class=pictures>{''.join(_pictures(run))}</div>",
        _notes(facts.notes),
        _parameters(run),
        _reproduce(run),
    ]
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{title} - fitscope</title><style>{style}</style></head>\n"
        f"<body><main>\n{chr(10).join(filter(None, body))}\n</main></body></html>\n"
    )


def _warning(run: Run) -> str:
    """That a run did not come to its end, where it did not."""
    if run.outcome in (Outcome.FINISHED, Outcome.STOPPED):
        return ""
    return f"<p class=warning>{html.escape(run.ending[0].upper() + run.ending[1:])}.</p>"


def _numbers(facts: Summary) -> str:
    """The key numbers, each with its unit or meaning."""
    items = []
    if facts.train_loss is not None:
        items.append(("training loss", f"{facts.train_loss:.4g}", facts.loss))
    if facts.test_loss is not None:
        items.append(("test loss", f"{facts.test_loss:.4g}", facts.loss))
    for name, value in facts.scores.items():
        part, score = name.split("_", 1)
        shown = {"r2": "R²", "rmse": "RMSE", "accuracy": "accuracy"}[score]
        meaning = {
            "r2": "share of the variance explained",
            "rmse": "root mean squared error, in the target's units",
            "accuracy": "share of samples that are right",
        }[score]
        number = f"{value:.4g}" if score == "rmse" or abs(value) >= 10 else f"{value:.4f}"
        items.append((f"{'training' if part == 'train' else part} {shown}", number, meaning))
    items.append(("parameters", f"{facts.n_parameters:,}", "weights and biases"))
    items.append(("updates", f"{facts.n_updates:,}", facts.outcome))
    items.append(("time", f"{facts.train_s:.3g} s", f"training, engine {facts.engine}"))
    cells = "".join(
        f"<div><dt>{html.escape(name)}</dt><dd>{html.escape(value)}</dd>"
        f"<p>{html.escape(meaning)}</p></div>"
        for name, value, meaning in items
    )
    return f"<dl class=numbers>{cells}</dl>"


def _formulas(facts: Summary) -> str:
    if not facts.formula:
        return ""
    true = f"<p>made by: <code>{html.escape(facts.truth)}</code></p>" if facts.truth else ""
    return f"<section><p>learned: <code>{html.escape(facts.formula)}</code></p>{true}</section>"


def _pictures(run: Run) -> Iterable[str]:
    """The pictures that suit the number of inputs and the task."""
    d = run.dataset
    if not len(d.X):
        yield "<p>This run was saved without its data, so only the losses can be drawn.</p>"
    elif d.d == 2:
        field = analysis.decision_field(run)
        yield _picture("What it answers", plot.decision_field(field))
    elif d.d == 1:
        curve = analysis.response_curve(run)
        yield _picture("What it answers", plot.response_curve(curve))
    else:
        yield from _pictures_of_many_inputs(run)
    n = d.n_train + d.n_test
    if len(d.X) and d.d <= 2 and n > plot.MAX_POINTS:
        yield f"<p>Of {n:,} samples, at most {plot.MAX_POINTS:,} are drawn.</p>"
    losses = analysis.loss_curves(run)
    yield _picture("The loss", plot.loss_curves(losses))


def _pictures_of_many_inputs(run: Run) -> Iterable[str]:
    inputs = analysis.importance(run)
    yield _picture("Which inputs matter", plot.importance(inputs))
    if run.dataset.task == "regression":
        pairs = analysis.fit_scatter(run)
        yield _picture("Predicted against true", plot.fit_scatter(pairs))
        return
    try:
        yield _picture("Where it errs", plot.confusion(analysis.confusion(run)))
    except DataError as error:  # the answers of a diverged run are no classes
        yield f"<p>{html.escape(str(error))}</p>"


def _picture(title: str, fig: Figure) -> str:
    """A figure with its title, as SVG."""
    return f"<figure><figcaption>{title}</figcaption>{plot.svg(fig, label=title)}</figure>\n"


def _notes(notes: tuple[str, ...]) -> str:
    if not notes:
        return ""
    items = "".join(f"<li>{_with_code(note)}</li>" for note in notes)
    return f"<section><h2>About the data</h2><ul>{items}</ul></section>"


def _with_code(text: str) -> str:
    """Escaped text, with what stands between backticks set as code."""
    return re.sub(r"`([^`]*)`", r"<code>\1</code>", html.escape(text))


def _parameters(run: Run) -> str:
    """Every parameter at the start and at the end."""
    names = parameter_names(run.layer_sizes)
    shown = names[:MAX_PARAMETER_ROWS]
    rows = "".join(
        f"<tr><td>{name}</td><td>{html.escape(_meaning(run, name))}</td>"
        f"<td class=n>{start:.5g}</td><td class=n>{end:.5g}</td></tr>"
        for name, start, end in zip(shown, run.params[0], run.params[-1], strict=False)
    )
    left = len(names) - len(shown)
    more = f"<p>and {left:,} more, all in the run file</p>" if left else ""
    if run.dataset.spec.standardize:
        more += "<p>Weights belong to the standardised inputs, not to the table's own units.</p>"
    opened = " open" if len(names) <= 20 else ""
    return (
        f"<details{opened}><summary>Parameters ({len(names):,})</summary><div class=scroll><table>"
        "<thead><tr><th>name</th><th>meaning</th><th class=n>start</th><th class=n>end</th></tr>"
        f"</thead><tbody>{rows}</tbody></table>{more}</div></details>"
    )


def _meaning(run: Run, name: str) -> str:
    """What a parameter joins: `w1[2,1]` is input 1 to hidden unit 2."""
    sizes = run.layer_sizes
    layer = int(name[1 : name.index("[")])
    unit, *source = (int(part) for part in name[name.index("[") + 1 : -1].split(","))
    outputs = [str(label) for label in run.dataset.classes] if run.dataset.k > 1 else ["output"]
    to = outputs[unit - 1] if layer == len(sizes) - 1 else _hidden_unit(sizes, layer, unit)
    if not source:
        return f"bias of {to}"
    inputs = run.dataset.feature_names
    start = inputs[source[0] - 1] if layer == 1 else _hidden_unit(sizes, layer - 1, source[0])
    return f"{start} to {to}"


def _hidden_unit(sizes: list[int], layer: int, unit: int) -> str:
    return f"unit {unit}" if len(sizes) == 3 else f"unit {unit} of hidden layer {layer}"


def _reproduce(run: Run) -> str:
    command = command_line(run) or "The data was given in memory; the run file holds it."
    if run.outcome is Outcome.INTERRUPTED:
        command += "\n# This run was interrupted; the command trains it to its end."
    versions = ", ".join(f"{name} {number}" for name, number in run.versions.items())
    return (
        "<section><h2>Get this run again</h2>"
        f"<pre>{html.escape(command)}</pre><pre>{html.escape(python_snippet(run))}</pre>"
        "<details><summary>The whole experiment, as TOML</summary>"
        f"<pre>{html.escape(run.experiment.to_toml())}</pre></details>"
        f"<p class=versions>Made with {html.escape(versions)}.</p></section>"
    )
