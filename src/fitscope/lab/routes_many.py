"""Many trainings of one experiment, and the best parameters that there are."""

from typing import Annotated, Literal

from fastapi import APIRouter, Query, Request, Response

from fitscope.lab.answers import EXPERIMENT_BODY, RefusedError, experiment_of, json_answer, refusals
from fitscope.lab.limits import Limits
from fitscope.lab.many import basin_facts, endings, many_facts, optimum_facts
from fitscope.lab.routes_run import JobName
from fitscope.lab.shapes import Basin, Many, Optimum
from fitscope.lab.state import lab_of
from fitscope.train.single import n_cores

__all__ = ["basin", "best", "many", "router"]

router = APIRouter()
_REFUSALS = refusals(400, 404, 409, 413, 415, 422, 503)
_Loss = Literal["cross_entropy", "mse", "smooth_l1", "relative"]


@router.post("/api/many", response_model=Many, responses=_REFUSALS, openapi_extra=EXPERIMENT_BODY)
async def many(
    request: Request,
    n: Annotated[int, Query(ge=1, le=Limits().nets, description="how many nets")] = 100,
    job: JobName | None = None,
) -> Response:
    """Trains an experiment from the seeds 0 to n - 1: columns of losses, scores and outcomes.

    A stopped job answers with the nets that are done.
    """
    lab, e = lab_of(request), await experiment_of(request)
    with lab.jobs.begin(job) as under_way:
        planned = await lab.plan(request, under_way, e)
        lab.limits.check_many(planned, n, of="nets", most=lab.limits.nets)
        lane = lab.quick if lab.is_quick(planned, n) else lab.long
        found = await lab.do(request, under_way, lane, lambda: endings(planned, n, under_way))
    return json_answer(many_facts(found, n))


@router.post("/api/basin", response_model=Basin, responses=_REFUSALS, openapi_extra=EXPERIMENT_BODY)
async def basin(
    request: Request,
    loss: _Loss | None = None,
    n_grid: Annotated[int, Query(ge=10, le=Limits().grid, description="starts a side")] = 60,
    job: JobName | None = None,
) -> Response:
    """What training reaches from every start (w, b) on a grid, of one neuron with one input."""
    lab, e = lab_of(request), await experiment_of(request)
    with lab.jobs.begin(job) as under_way:
        planned = await lab.plan(request, under_way, e)
        lab.limits.check_many(planned, n_grid**2, of="starts", most=lab.limits.grid**2)
        run = await lab.with_run(request, under_way, e, lambda made: made)
        if under_way.is_stopping:
            raise RefusedError(422, "The basin map was stopped before it began.")
        lane = lab.quick if lab.is_quick(planned, n_grid**2 // n_cores()) else lab.long
        facts = await lab.do(
            request, under_way, lane, lambda: basin_facts(run, under_way, n_grid=n_grid, loss=loss)
        )
    return json_answer(facts)


@router.post(
    "/api/optimum", response_model=Optimum, responses=_REFUSALS, openapi_extra=EXPERIMENT_BODY
)
async def best(request: Request) -> Response:
    """The best parameters of a model without a hidden layer, by scikit-learn and SciPy."""
    lab, e = lab_of(request), await experiment_of(request)
    with lab.jobs.begin(None) as under_way:
        planned = await lab.plan(request, under_way, e)
        lab.limits.check_fitted(planned)
        facts = await lab.do(
            request,
            under_way,
            lab.side,
            lambda: optimum_facts(lab.trainer.outline(e, planned)),
        )
    return json_answer(facts)
