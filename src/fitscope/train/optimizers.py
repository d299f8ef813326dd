"""One step of each optimizer, compiled, with the arithmetic and the defaults of PyTorch."""

import math
from typing import Any, NamedTuple

import numpy as np

from fitscope.train.functions import compiled, part

__all__ = ["ADAM", "ADAMW", "RMSPROP", "SGD", "Rule", "update"]

SGD, ADAM, ADAMW, RMSPROP = range(4)
BETA_2, ALPHA, EPS = map(np.float32, (0.999, 0.99, 1e-8))
# Not ONE - BETA_2: the float32 nearest to 0.999 is further from 1 by a hundred-thousandth.
NEW_1, NEW_2, NEW_ALPHA = map(np.float32, (1 - 0.9, 1 - 0.999, 1 - 0.99))


class Rule(NamedTuple):
    """How it is trained."""

    optimizer: int
    lr: float
    momentum: float
    nesterov: bool
    weight_decay: float
    batch_size: int
    stop_below: float
    patience: int  # epochs without a smaller test loss; 0 is no end of it


@compiled
def update(rule: Any, t: int, params: Any, grad: Any, first: Any, second: Any) -> None:
    """The t-th step of an optimizer, as PyTorch takes it, in float32.

    sgd: v = momentum v + g; w -= lr v, or with nesterov lr (g + momentum v).
    adam, adamw (Kingma & Ba 2015; Loshchilov & Hutter 2019): m and v are the running means of g and
    g^2; w -= lr m' / (sqrt(v') + eps), where m' and v' make up for their start at 0.
    rmsprop (Hinton 2012): w -= lr g / (sqrt(v) + eps).
    Weight decay is added to g; adamw shrinks w instead.
    """
    part()
    lr, decay, momentum = (
        np.float32(rule.lr),
        np.float32(rule.weight_decay),
        np.float32(rule.momentum),
    )
    if rule.optimizer == SGD:
        for i in range(params.size):
            g = np.float32(grad[i]) + decay * params[i]
            first[i] = momentum * first[i] + g
            params[i] -= lr * (g + momentum * first[i] if rule.nesterov else first[i])
    elif rule.optimizer == RMSPROP:
        for i in range(params.size):
            g = np.float32(grad[i]) + decay * params[i]
            second[i] = ALPHA * second[i] + NEW_ALPHA * g * g
            params[i] -= lr * g / (np.sqrt(second[i]) + EPS)
    else:
        step = np.float32(rule.lr / (1 - 0.9**t))
        root = np.float32(math.sqrt(1 - 0.999**t))
        shrink = np.float32(1 - rule.lr * rule.weight_decay)
        for i in range(params.size):
            g = np.float32(grad[i])
            if rule.optimizer == ADAMW:
                params[i] *= shrink
            else:
                g += decay * params[i]
            first[i] += NEW_1 * (g - first[i])
            second[i] = BETA_2 * second[i] + NEW_2 * g * g
            params[i] -= step * first[i] / (np.sqrt(second[i]) / root + EPS)
