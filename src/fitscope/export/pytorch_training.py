"""The part of a PyTorch script that builds the network, trains it and judges it."""

import itertools
import math

import numpy as np

from fitscope.export.pytorch_data import Facts
from fitscope.export.pytorch_solver import solver_part
from fitscope.export.source import WIDTH, call, filled, literal

__all__ = ["start_text", "training_part"]

_ACTIVATIONS = {"sigmoid": "Sigmoid", "tanh": "Tanh", "relu": "ReLU", "identity": "Identity"}
_OPTIMIZERS = {"sgd": "SGD", "adam": "Adam", "adamw": "AdamW", "rmsprop": "RMSprop"}
_STEPS = {
    "sgd": "# A step moves every parameter by LR times its gradient, downhill.",
    "adam": "# Adam: a step moves every parameter by about LR, however steep its gradients are.",
    "adamw": "# AdamW: a step moves every parameter by about LR, however steep its gradients are.",
    "rmsprop": "# RMSprop: a step divides each gradient by how large it has been lately.",
}
_WITH_MOMENTUM = "# A step is LR times the gradient, downhill, after MOMENTUM of the step before."
_SEED = "torch.manual_seed(SEED)"
_STEP = [
    "optimizer.zero_grad()  # or the gradients would add to those of the last step",
    "loss.backward()",
    "optimizer.step()",
]
_WHY_LOGITS = """\
# Cross-entropy of logits: a probability can round to 0, and its log is then infinite.
"""
_WAIT = [
    "test_loss = judge(X_test, y_test)[0]",
    "least, waited = (test_loss, 0) if test_loss < least else (least, waited + 1)",
    "if waited == PATIENCE:",
    '    print(f"stopped after {epoch + 1} epochs: the test loss no longer falls")',
    "    break",
]
_RELATIVE = '''\
def loss_of(answers, y):
    """The mean error as a share of the target, or of 0.01 where the target is smaller."""
    return ((answers - y).abs() / y.abs().clamp_min(0.01)).mean()'''
_JUDGE_CLASSES = '''\
@torch.no_grad()
def judge(X, y):
    """The loss, and the share of the samples that are classified right."""
    answers = model(X)
    {right}
    return loss_of(answers, y).item(), right.float().mean().item()'''
_JUDGE_VALUES = '''\
@torch.no_grad()
def judge(X, y):
    """The loss, the root mean squared error in the target's units, and R squared."""
    answers = model(X)
    mse = ((answers - y) ** 2).mean()
    r2 = 1 - mse / ((y - y.mean()) ** 2).mean()
    return loss_of(answers, y).item(), mse.sqrt().item(){to_unit}, r2.item()'''


def training_part(facts: Facts) -> list[str]:
    """The blocks of lines from the network to the last print."""
    drawn, given = (_SEED, "") if facts.draws_start else ("", _given(facts))
    shuffles = _SEED if facts.is_shuffled and not facts.draws_start else ""
    model = _lines(_answer(facts), drawn, _model(facts), given)
    if facts.run.experiment.training.is_solver:
        return [model, _loss(facts), _judge(facts), *solver_part(facts), _ending(facts)]
    return [
        model,
        _loss(facts),
        _optimizer(facts),
        _judge(facts),
        _lines(_pace(facts), _threads(facts), shuffles, _loop(facts)),
        _ending(facts),
    ]


def _lines(*lines: str) -> str:
    return "\n".join(line for line in lines if line)


def start_text(facts: Facts) -> list[str]:
    """The constant that holds a given start, if there is one."""
    init = facts.run.experiment.network.init
    if not isinstance(init, list):
        return []
    values = [str(np.float32(value)) for value in init]
    line = f"START = [{', '.join(values)}]"
    return [line if len(line) <= WIDTH else filled("START", values)]


def _model(facts: Facts) -> str:
    """The network, and what its answers are."""
    data, sizes = facts.run.dataset, facts.run.layer_sizes
    between = f"nn.{_ACTIVATIONS[facts.run.experiment.network.activation]}()"
    linear = [f"nn.Linear({n_in}, {n_out})" for n_in, n_out in itertools.pairwise(sizes)]
    layers = [layer for each in linear for layer in (each, between)][:-1]
    if facts.gives_probabilities:
        layers.append("nn.Sigmoid()" if data.k == 1 else "nn.Softmax(dim=1)")
    if len(layers) == 1:
        return f"model = {layers[0]}"
    return "\n".join(["model = nn.Sequential(", *_indented([f"{layer}," for layer in layers]), ")"])


def _answer(facts: Facts) -> str:
    """What the network answers, as a comment."""
    if facts.is_regression:
        return "# The network answers with the predicted value."
    if facts.run.dataset.k == 1:
        what = "the probability of class 1"
        how = "with a logit z; its sigmoid is"
    else:
        what = "the probabilities of the classes"
        how = "with logits, one a class; their softmax is"
    return f"# The network answers {'with' if facts.gives_probabilities else how} {what}."


def _given(facts: Facts) -> str:
    """A start that is not drawn."""
    init = facts.run.experiment.network.init
    if not isinstance(init, list):
        return f"""\
for parameter in model.parameters():
    nn.init.{init}_(parameter)  # instead of the random start that PyTorch drew"""
    is_text = start_text(facts)[0].startswith('START = """')
    values = "[float(text) for text in START.split()]" if is_text else "START"
    return f"""\
# The start is given: layer by layer the weights, unit by unit, then the biases.
start = torch.tensor({values})
nn.utils.vector_to_parameters(start, model.parameters())"""


def _loss(facts: Facts) -> str:
    """The loss, and why this one."""
    name = str(facts.run.experiment.training.loss)
    if name == "relative":
        return _RELATIVE
    if name == "smooth_l1":
        return """\
# Half the squared error where it is below 1, linear beyond: a wild sample cannot pull too hard.
loss_of = nn.SmoothL1Loss()"""
    if name == "mse":
        return "loss_of = nn.MSELoss()"
    loss = "BCEWithLogitsLoss" if facts.run.dataset.k == 1 else "CrossEntropyLoss"
    return f"{_WHY_LOGITS}loss_of = nn.{loss}()"


def _optimizer(facts: Facts) -> str:
    """PyTorch's optimizer; what is PyTorch's own default is left out."""
    t = facts.run.experiment.training
    arguments = ["model.parameters()", "lr=LR"]
    arguments += ["momentum=MOMENTUM"] * (t.momentum > 0) + ["nesterov=True"] * t.nesterov
    arguments += ["weight_decay=WEIGHT_DECAY"] * (t.weight_decay > 0)
    arguments += ["weight_decay=0"] * (t.optimizer == "adamw" and t.weight_decay == 0)
    how = _WITH_MOMENTUM if t.momentum else _STEPS[t.optimizer]
    return f"{how}\n" + call(f"optimizer = torch.optim.{_OPTIMIZERS[t.optimizer]}", arguments)


def _judge(facts: Facts) -> str:
    """The function that tells loss and scores."""
    if facts.is_regression:
        unit = " * y_std" if facts.is_scaled else " * Y_STD"
        return _JUDGE_VALUES.format(to_unit=unit * (facts.run.dataset.y_scale != 1))
    if facts.run.dataset.k > 1:
        true = "y.argmax(dim=1)" if facts.gives_probabilities else "y"
        return _JUDGE_CLASSES.format(right=f"right = answers.argmax(dim=1) == {true}")
    if facts.gives_probabilities:
        return _JUDGE_CLASSES.format(right="right = (answers >= 0.5) == (y == 1)")
    why = "# where z >= 0, the probability is at least 0.5"
    return _JUDGE_CLASSES.format(right=f"right = (answers >= 0) == (y == 1)  {why}")


def _pace(facts: Facts) -> str:
    """How many samples a step uses, and in which order, as a comment."""
    if facts.is_full:
        return "# Every step uses all samples, so that an epoch is one step."
    if facts.is_one_pass:
        return "# Every sample is used once, BATCH_SIZE of them a step."
    order = "a new random" if facts.is_shuffled else "the given"
    return f"# An epoch uses every sample once, BATCH_SIZE of them a step, in {order} order."


def _threads(facts: Facts) -> str:
    """One thread where more would hinder; below that, PyTorch takes one by itself."""
    run = facts.run
    n_samples = min(run.experiment.training.batch_size or run.dataset.n_train, run.dataset.n_train)
    if not 10_000 <= n_samples * run.params.shape[1] < 2_000_000:
        return ""
    return "torch.set_num_threads(1)  # to share so little work would cost more than it saves"


def _loop(facts: Facts) -> str:
    """The training."""
    t = facts.run.experiment.training
    if facts.is_one_pass:
        return facts.fill(_one_pass(facts))
    now = "loss.item()" if facts.is_full else "judge($X, $y)[0]"
    lines = _shown("epoch", t.epochs, f"after {{epoch}} epochs: train loss {{{now}:.7g}}")
    if facts.is_full:
        lines = ["loss = loss_of(model($X), $y)", *_check(facts), *lines, *_STEP]
    else:
        lines += [f"for {_batch(facts)} in {_batches(facts)}:"]
        lines += _indented([_batch_loss(facts), *_check(facts), *_STEP])
    if t.stop_below is not None:
        stop = ['print(f"stopped after {epoch + 1} epochs")', "break"]
        lines += ["if judge($X, $y)[0] < STOP_BELOW:", *_indented(stop)]
    head = ["for epoch in range(EPOCHS):"]
    if t.patience is not None:
        lines += _WAIT
        head = ["least, waited = judge(X_test, y_test)[0], 0", *head]
    return facts.fill("\n".join([*head, *_indented(lines)]))


def _one_pass(facts: Facts) -> str:
    """A single epoch, where the losses of the batches tell how it goes."""
    text = "after {step} updates: batch loss {loss.item():.7g}"
    show = _shown("step", facts.run.updates_per_epoch, text)
    lines = [_batch_loss(facts), *_check(facts), *show]
    batch = "batch" if facts.is_shuffled else "(X_batch, y_batch)"
    head = call(f"for step, {batch} in enumerate", [facts.fill(_batches(facts))], ":")
    return "\n".join([head, *_indented([*lines, *_STEP])])


def _shown(counter: str, n: int, text: str) -> list[str]:
    """Lines that print a text about ten times."""
    line, every = f'print(f"{text}")', _round_tenth(n)
    return [line] if every == 1 else [f"if {counter} % {literal(every)} == 0:", f"    {line}"]


def _batch(facts: Facts) -> str:
    return "batch" if facts.is_shuffled else "X_batch, y_batch"


def _batches(facts: Facts) -> str:
    """What gives the batches of an epoch."""
    if facts.is_shuffled:
        return "torch.randperm(len($X)).split(BATCH_SIZE)"
    return "zip($X.split(BATCH_SIZE), $y.split(BATCH_SIZE))"


def _batch_loss(facts: Facts) -> str:
    X, y = ("$X[batch]", "$y[batch]") if facts.is_shuffled else ("X_batch", "y_batch")
    return f"loss = loss_of(model({X}), {y})"


def _check(facts: Facts) -> list[str]:
    """The end of a training that diverges."""
    if facts.run.outcome.name != "DIVERGED":
        return []
    when = "after {step} updates" if facts.is_one_pass else "after {epoch} epochs"
    return [
        "if not torch.isfinite(loss):",
        f'    raise SystemExit(f"diverged {when}: loss {{loss.item()}}; try a smaller LR")',
    ]


def _indented(lines: list[str]) -> list[str]:
    return [f"    {line}" for line in lines]


def _round_tenth(n: int) -> int:
    """A tenth of n, up to the next 1, 2 or 5 with zeros behind it.

    Example:
        >>> _round_tenth(14000), _round_tenth(20), _round_tenth(3)
        (2000, 2, 1)
    """
    power = 10 ** int(math.log10(max(n / 10, 1)))
    return next(int(m * power) for m in (1, 2, 5, 10) if m * power >= n / 10)


def _ending(facts: Facts) -> str:
    """The scores, a single neuron's weights, and the loss as the last line."""
    shown = {"rmse": ".5g", "r2": ".4f"} if facts.is_regression else {"accuracy": ".4f"}
    names = ["train_", "test_"] if facts.has_test else [""]
    lines = [
        f"{', '.join(part + each for each in ('loss', *shown))} = judge({X}, {y})"
        for part, (X, y) in zip(names, facts.parts, strict=True)
    ]
    for score, digits in shown.items():
        values = [f"{part.strip('_')} {{{part}{score}:{digits}}}".strip() for part in names]
        lines.append(f'print(f"{score} {", ".join(values)}")')
    lines += _weights(facts)
    last = "loss:.7g}, test loss {test_loss:.7g}" if facts.has_test else "loss:.7g}"
    return "\n".join([*lines, f'print(f"final train loss {{{names[0]}{last}")'])


def _weights(facts: Facts) -> list[str]:
    """The parameters of a single neuron, which can be read; beside the true ones, if known."""
    data = facts.run.dataset
    if len(facts.run.layer_sizes) > 2 or data.k > 1 or data.d > 12 or data.spec.standardize:
        return []
    neuron = "model[0]" if facts.gives_probabilities else "model"
    lines = [
        f"weights = [round(value, 4) for value in {neuron}.weight.flatten().tolist()]",
        f'print(f"weights {{weights}}, bias {{{neuron}.bias.item():.4f}}")',
    ]
    if data.spec.name == "polynomial":
        lines += [
            "true_weights = [round(value, 4) for value in w.flatten().tolist()]",
            'print(f"true weights {true_weights}, true bias {b.item():.4f}")',
        ]
    return lines
