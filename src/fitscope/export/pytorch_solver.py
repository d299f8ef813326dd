"""The part of a PyTorch script that trains by a full-batch solver."""

import textwrap

from fitscope.export.pytorch_data import Facts
from fitscope.export.source import literal

__all__ = ["solver_constants", "solver_part"]

_NEWTON = """\
# Newton's method goes to the lowest point of the parabola with the same slope and curvature.
flat = nn.utils.parameters_to_vector(model.parameters()).detach()
unsure = torch.autograd.functional.hessian(objective, torch.zeros_like(flat)).diagonal()
damping, last, n_good = 0.0, 1e-3, 0
for iteration in range(ITERATIONS):
{shown}
    slope = torch.autograd.functional.jacobian(objective, flat)
    hessian = torch.autograd.functional.hessian(objective, flat)
    while True:
        held = hessian + damping * unsure.diag()
        scale = held.diagonal().clamp_min(1e-300).rsqrt()  # so that units do not matter
        curved, right = scale[:, None] * held * scale, -(scale * slope)[:, None]
        step = scale * torch.linalg.lstsq(curved, right, driver="gelsd").solution[:, 0]
        gain = ((damping * unsure * step**2).sum() - slope @ step) / 2  # what it should bring
        gained = objective(flat) - objective(flat + step)
        if gained >= gain / 4 - 1e-14 or damping > 1e12:
            break
        damping, n_good = 10 * damping or last, 0  # the parabola is wrong so far out
    flat = flat + step
    if damping:  # longer ones again, in ever larger strides
        last, n_good = damping, n_good + 1
        damping = damping / 10.0**n_good if damping / 10.0**n_good > 1e-12 else 0.0
nn.utils.vector_to_parameters(flat, model.parameters())"""
_LBFGS = """\
# L-BFGS learns the curvature from the slopes of the last iterations. PyTorch's own searches along
# its steps in another way; this is SciPy's, which the run was trained by.
def value_and_slope(flat):
    flat = torch.tensor(flat, requires_grad=True)
    value = objective(flat)
    value.backward()
    return value.item(), flat.grad.numpy()


iteration = 0


def show(flat):
    global iteration
    iteration += 1
    flat = torch.tensor(flat)
{shown}


flat = nn.utils.parameters_to_vector(model.parameters()).detach()
options = {{"maxiter": ITERATIONS, "maxfun": 10**9, "ftol": 0.0, "gtol": 0.0}}
found = minimize(
    value_and_slope, flat.numpy(), jac=True, method="L-BFGS-B", callback=show, options=options
)
nn.utils.vector_to_parameters(torch.tensor(found.x), model.parameters())"""


def solver_constants(facts: Facts) -> list[str]:
    """What the solver is told."""
    run = facts.run
    lines = [f"ITERATIONS = {literal(int(run.steps[-1]))}"]
    if run.experiment.training.l2:
        lines.append(f"L2 = {literal(run.experiment.training.l2)}  # of the squared weights")
    return lines


def solver_part(facts: Facts) -> list[str]:
    """The blocks of lines from the objective to the end of the training."""
    text = _NEWTON if facts.run.experiment.training.optimizer == "newton" else _LBFGS
    return [_in_float64(facts), _objective(facts), text.format(shown=_shown(facts))]


def _in_float64(facts: Facts) -> str:
    """Model and samples in double precision."""
    lines = [
        "# A solver goes on until rounding ends it, so it computes in float64.",
        "model.double()",
    ]
    for X, y in facts.parts:
        is_index = facts.run.dataset.task == "multiclass" and not facts.gives_probabilities
        lines.append(
            f"{X} = {X}.double()" if is_index else f"{X}, {y} = {X}.double(), {y}.double()"
        )
    return "\n".join(lines)


def _objective(facts: Facts) -> str:
    """What is made small, as a function of all parameters in a row."""
    l2 = facts.run.experiment.training.l2
    what = "loss and penalty" if l2 else "loss"
    lines = [
        "def objective(flat):",
        f'    """The {what} with these parameters, all of them in one row."""',
        "    parts, at = {}, 0",
        "    for name, parameter in model.named_parameters():",
        "        parts[name] = flat[at : at + parameter.numel()].view_as(parameter)",
        "        at += parameter.numel()",
    ]
    value = facts.fill("loss_of(torch.func.functional_call(model, parts, $X), $y)")
    if l2:
        squares = '(part**2).sum() for name, part in parts.items() if name.endswith("weight")'
        lines.append(f"    squares = sum({squares})")
        value += " + L2 / 2 * squares"
    return "\n".join([*lines, f"    return {value}"])


def _shown(facts: Facts) -> str:
    """Lines that print the loss about ten times."""
    every = max(1, int(facts.run.steps[-1]) // 10)
    loss = facts.fill("judge($X, $y)[0]")
    lines = [
        "nn.utils.vector_to_parameters(flat, model.parameters())",
        f'print(f"after {{iteration}} iterations: train loss {{{loss}:.7g}}")',
    ]
    if every > 1:
        lines = [f"if iteration % {every} == 0:", *(f"    {line}" for line in lines)]
    return textwrap.indent("\n".join(lines), "    ")
