"""An Experiment goes in, a Run comes out; or many go in, and a table comes out."""

from fitscope.train.plan import ENGINES
from fitscope.train.population import Population, fit_many
from fitscope.train.single import Progress, fit

__all__ = ["ENGINES", "Population", "Progress", "fit", "fit_many"]
