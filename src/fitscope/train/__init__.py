"""An Experiment goes in, a Run comes out; or many go in, and a table comes out."""

from fitscope.train.plan import ENGINES
from fitscope.train.population import Population, fit_many
from fitscope.train.single import Progress, fit
from fitscope.train.starts import Ends, ends_of

__all__ = ["ENGINES", "Ends", "Population", "Progress", "ends_of", "fit", "fit_many"]
