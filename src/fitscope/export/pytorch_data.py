"""The part of a PyTorch script that makes the samples, splits and scales them."""

from dataclasses import dataclass
from string import Template

from fitscope.export.pytorch_made import DataCode, rows_text
from fitscope.export.pytorch_read import data_code
from fitscope.export.source import call, comment, listing, literal
from fitscope.records import Run

__all__ = ["Facts", "data_constants", "data_part", "facts_of"]


@dataclass(frozen=True)
class Facts:
    """What a run's script has to say, and what it can leave out.

    Attributes:
        run: the run.
        made: how its samples are made or read.
    """

    run: Run
    made: DataCode

    @property
    def has_test(self) -> bool:
        """Whether there is a test part."""
        return self.run.dataset.n_test > 0

    @property
    def is_split(self) -> bool:
        """Whether the script sets the test part aside."""
        return self.has_test and not self.made.has_parts

    @property
    def is_joined(self) -> bool:
        """Whether points set by hand join the training part."""
        return bool(self.run.dataset.spec.points) and self.run.dataset.spec.name != "points"

    @property
    def is_scaled(self) -> bool:
        """Whether the script standardises."""
        return bool(self.run.dataset.spec.standardize) and not self.made.is_scaled

    @property
    def is_regression(self) -> bool:
        """Whether values are predicted, and no classes."""
        return self.run.dataset.task == "regression"

    @property
    def gives_probabilities(self) -> bool:
        """Whether the network answers with probabilities, whose squared error is the loss."""
        return not self.is_regression and self.run.experiment.training.loss == "mse"

    @property
    def is_full(self) -> bool:
        """Whether every step uses all samples."""
        return self.run.updates_per_epoch == 1

    @property
    def is_shuffled(self) -> bool:
        """Whether every epoch has its own order."""
        return self.run.experiment.training.shuffle and not self.is_full

    @property
    def is_one_pass(self) -> bool:
        """Whether all steps belong to one epoch."""
        return self.run.experiment.training.epochs == 1 and not self.is_full

    @property
    def draws_start(self) -> bool:
        """Whether the start is drawn."""
        return self.run.experiment.network.init == "torch"

    @property
    def parts(self) -> list[tuple[str, str]]:
        """The names of inputs and targets, the training part's first."""
        return [("X_train", "y_train"), ("X_test", "y_test")] if self.has_test else [("X", "y")]

    def fill(self, text: str, **more: object) -> str:
        """Text with the names of the training part for $X and $y."""
        X, y = self.parts[0]
        return Template(text).substitute(X=X, y=y, **more)


def facts_of(run: Run, *, run_file: str) -> Facts:
    """The facts of a run; `run_file` is where its file is, for data that nothing else holds."""
    return Facts(run, data_code(run.dataset, run_file=run_file))


def data_constants(facts: Facts) -> list[str]:
    """The settings of the data that this script uses, as lines."""
    spec, data = facts.run.dataset.spec, facts.run.dataset
    lines = [f"{c} = {literal(getattr(spec, name))}" for c, name in facts.made.settings.items()]
    lines += facts.made.constants
    if facts.is_joined:
        lines.append(listing("POINTS", rows_text(spec.points or [])))
    if facts.is_split:
        lines.append(f"TEST_FRACTION = {literal(spec.test_fraction)}")
        lines.append(f"SPLIT_SEED = {literal(spec.split_seed)}")
    if facts.made.is_scaled and data.y_scale != 1:
        lines.append(f"Y_STD = {data.y_scale!r}  # the deviation of the target in its own units")
    return lines


def data_part(facts: Facts) -> list[str]:
    """The blocks of lines that end with all samples as tensors."""
    blocks = [facts.made.helper] * bool(facts.made.helper)
    blocks.append(f"{comment(facts.made.about)}\n{facts.made.code}")
    touched = [
        step(facts)
        for step, is_needed in (
            (_split, facts.is_split),
            (_joined, facts.is_joined),
            (_scaled, facts.is_scaled),
        )
        if is_needed
    ]
    if facts.made.is_tensor and touched:
        blocks.append(_as_arrays(facts))
    blocks += touched
    return blocks if facts.made.is_tensor and not touched else [*blocks, _tensors(facts)]


def _as_arrays(facts: Facts) -> str:
    parts = facts.parts if facts.made.has_parts else [("X", "y")]
    return "\n".join(
        f"{X}, {y} = {X}.double().numpy(), {y}[:, 0].double().numpy()" for X, y in parts
    )


def _split(facts: Facts) -> str:
    why = "Some samples are kept for testing; training never sees them"
    arguments = ["X", "y", "test_size=TEST_FRACTION", "random_state=SPLIT_SEED"]
    if not facts.is_regression:
        arguments.append("stratify=y")
        why = "Some samples of every class are kept for testing; training never sees them"
    line = call("X_train, X_test, y_train, y_test = train_test_split", arguments)
    return f"# {why}.\n{line}"


def _joined(facts: Facts) -> str:
    return facts.fill("""\
# Points set by hand join the training part: their inputs, then the target.
$X = np.concatenate([$X, [row[:-1] for row in POINTS]])
$y = np.concatenate([$y, [row[-1] for row in POINTS]])""")


def _scaled(facts: Facts) -> str:
    """Mean and deviation are the training part's, so that nothing is learned from the test part."""
    what = "Inputs and target are" if facts.is_regression else "Every input is"
    why = f"{what} measured in standard deviations from the mean, so that units do not matter."
    if facts.has_test:
        why += " Both come from the training part: nothing may be learned from the test part."
    lines = [comment(why), "mean, std = $X.mean(axis=0), $X.std(axis=0)"]
    if (facts.run.dataset.scale == 1).any():
        lines.append("std[np.ptp($X, axis=0) == 0] = 1  # a column that never changes has none")
    lines += [f"{X} = ({X} - mean) / std" for X, _ in facts.parts]
    if facts.is_regression:
        lines.append("y_mean, y_std = $y.mean(), $y.std()")
        lines += [f"{y} = ({y} - y_mean) / y_std" for _, y in facts.parts]
    return facts.fill("\n".join(lines))


def _tensors(facts: Facts) -> str:
    """Tensors in the shapes that the loss takes."""
    if facts.run.dataset.task != "multiclass":
        why = "PyTorch computes with float32 tensors; targets are (n, 1), as the answers are."
        made = "torch.tensor({y}, dtype=torch.float32)[:, None]"
    elif facts.gives_probabilities:
        why = "PyTorch computes with float32 tensors; targets are rows with a 1 for the true class."
        n_classes = len(facts.run.dataset.classes)
        made = f"nn.functional.one_hot(torch.tensor({{y}}, dtype=torch.int64), {n_classes}).float()"
    else:
        why = "PyTorch computes with float32 tensors; targets are the numbers of the classes."
        made = "torch.tensor({y}, dtype=torch.int64)"
    lines = [comment(why)]
    for X, y in facts.parts:
        lines += [f"{X} = torch.tensor({X}, dtype=torch.float32)", f"{y} = {made.format(y=y)}"]
    return "\n".join(lines)
