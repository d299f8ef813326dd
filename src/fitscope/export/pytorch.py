"""A run as one PyTorch script that trains the same network again, to read and to learn from."""

import itertools
import textwrap

from fitscope.analysis.needs import needs_one_target
from fitscope.errors import DataError
from fitscope.export.pytorch_data import Facts, data_constants, data_part, facts_of
from fitscope.export.pytorch_solver import solver_constants
from fitscope.export.pytorch_training import start_text, training_part
from fitscope.export.source import WIDTH, literal, plain
from fitscope.outcomes import Outcome
from fitscope.records import Run

__all__ = ["pytorch_script"]

_PYTHONS_OWN = ("csv", "datetime", "json", "re")


def pytorch_script(run: Run, *, run_file: str = "run.safetensors") -> str:
    """One PyTorch script that makes the data, the start, the batches and all steps of a run again.

    It imports PyTorch and numpy; scikit-learn where the data or the split is scikit-learn's; SciPy
    for its L-BFGS; and pyarrow for a Parquet table. It says what this run needs and nothing else,
    and its last line prints the training loss at the end.

    Args:
        run: the run.
        run_file: where the run's file is; only the script of a run on many samples that were
            given in memory reads it.

    Raises:
        DataError: the data was given in memory, and the run was saved without it; its samples have
            weights, or several targets, which a script does not show; or a loop of somebody's own
            was recorded.

    Example:
        >>> from fitscope.train import fit
        >>> "nn.Linear(2, 3)" in pytorch_script(fit("rings-3", epochs=2))
        True
    """
    needs_one_target(run.dataset, "A script")
    if run.dataset.weights is not None:
        raise DataError("A script counts every sample alike; the samples of this run have weights.")
    if run.attached:
        raise DataError(
            "A script makes a training again; this run was recorded by fs.attach, and only its own "
            "loop does that."
        )
    facts = facts_of(run, run_file=run_file)
    body = [*data_part(facts), *training_part(facts)]
    head = [_docstring(facts), _imports(facts, "\n".join(body)), _constants(facts)]
    return _spaced([*head, *body]) + "\n"


def _spaced(blocks: list[str]) -> str:
    """Blocks with an empty line between them, and with two around a function."""
    text = blocks[0]
    for before, block in itertools.pairwise(blocks):
        outer = [line for line in before.splitlines() if line and line[0] != " "]
        inner = [line for line in block.splitlines() if line[:1] != "#"]
        is_function = outer[-1].startswith("def ") or inner[0].startswith(("def ", "@"))
        text += ("\n\n\n" if is_function else "\n\n") + block
    return text


def _docstring(facts: Facts) -> str:
    """What the script trains, and what its last line should say."""
    run, e = facts.run, facts.run.experiment
    title = plain(e.title).rstrip(".")
    if title in ("", run.dataset.spec.name) or run.dataset.spec.path:
        title = f"A network for {'data given in memory' if title == 'arrays' else title or 'data'}"
    shape = "-".join(map(str, run.layer_sizes))
    parameters = _counted(run.params.shape[1], "parameter")
    updates = _counted(e.training.n_updates(run.dataset.n_train), "update")
    what = (
        f"Plain PyTorch for what fitscope {run.versions['fitscope']} recorded: a {shape} network "
        f"with {parameters}, {updates}"
    )
    if e.training.is_solver:
        how = "Newton's method" if e.training.optimizer == "newton" else "L-BFGS"
        iterations = _counted(int(run.steps[-1]), "iteration")
        what = what.replace(updates, f"{iterations} of {how}")
        what += f", and a training loss of {run.train_loss[-1]:.5g} at the end."
    elif run.outcome is Outcome.INTERRUPTED:
        what += f". The run was interrupted after {run.steps[-1]:,}; this trains to the end."
    elif run.outcome is Outcome.DIVERGED:
        what += f". It diverges: after {run.steps[-1]:,} the loss is no longer a finite number."
    else:
        what += f", and a training loss of {run.train_loss[-1]:.5g} at the end."
    texts = [text for text in (f'"""{title}.', plain(e.about), what) if text]
    return "\n\n".join(textwrap.fill(text, WIDTH) for text in texts) + '\n"""'


def _counted(n: int, thing: str) -> str:
    return f"{n:,} {thing}{'s' * (n != 1)}"


def _imports(facts: Facts, code: str) -> str:
    """What the code needs, in the usual order: Python's own, then the others."""
    wanted = {*facts.made.imports, "import torch", "from torch import nn"}
    if "np." in code:
        wanted.add("import numpy as np")
    if facts.is_split:
        wanted.add("from sklearn.model_selection import train_test_split")
    if "minimize(" in code:
        wanted.add("from scipy.optimize import minimize")
    own = [line for line in wanted if line.split()[1] in _PYTHONS_OWN]
    own.sort(key=lambda line: (line.startswith("from"), line))
    others = sorted(wanted - set(own), key=lambda line: (line.startswith("from"), line))
    return "\n".join([*own, *[""] * bool(own), *others])


def _constants(facts: Facts) -> str:
    """What a reader may want to change."""
    t = facts.run.experiment.training
    lines = [*data_constants(facts), *start_text(facts)]
    drawn = ["the start"] * facts.draws_start + ["the order of the samples"] * facts.is_shuffled
    if drawn:
        lines.append(f"SEED = {literal(t.seed)}  # of {' and '.join(drawn)}")
    if t.is_solver:
        return "\n".join([*lines, *solver_constants(facts)])
    lines.append(f"LR = {literal(t.lr)}  # the learning rate")
    used = {
        "MOMENTUM": t.momentum or None,
        "WEIGHT_DECAY": t.weight_decay or None,
        "BATCH_SIZE": None if facts.is_full else t.batch_size,
        "EPOCHS": None if facts.is_one_pass else t.epochs,
        "STOP_BELOW": None if facts.is_one_pass else t.stop_below,
        "PATIENCE": None if facts.is_one_pass else t.patience,
    }
    lines += [f"{name} = {literal(value)}" for name, value in used.items() if value is not None]
    return "\n".join(lines)
