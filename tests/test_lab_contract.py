"""The lab's API does what its description says: schemathesis tries whatever that allows."""

from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from hypothesis.errors import Unsatisfiable
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    ignored_auth,
    negative_data_rejection,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
    unsupported_method,
)

from fitscope.lab.limits import Limits
from lab_server import served

pytestmark = [
    pytest.mark.slow,
    pytest.mark.filterwarnings("ignore:Do not use the `random` module"),  # schemathesis does
]

SMALL = Limits(samples=3000, parameters=500, updates=500, work=1e7, grid=12, frames=3)
CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    negative_data_rejection,
    unsupported_method,
    ignored_auth,
]
BODIES: dict[str, Any] = {
    "one neuron": {"data": {"name": "step"}},
    "classes": {"data": {"name": "blobs", "n_samples": 30, "n_classes": 3, "noise": 3.0}},
    "values": {"data": {"name": "sine", "n_samples": 20}, "network": {"hidden": [2]}},
}
for _body in BODIES.values():
    _body["training"] = {"epochs": 20, "lr": 0.1}
EXAMPLES = settings(
    derandomize=True,
    deadline=None,
    database=None,
    suppress_health_check=list(HealthCheck),
)


@pytest.fixture(scope="module")
def api(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """The description of a lab that takes on little."""
    with served(tmp_path_factory.mktemp("lab"), limits=SMALL) as (address, _):
        yield schemathesis.openapi.from_url(f"{address}/api/openapi.json")


@pytest.mark.parametrize("mode", [GenerationMode.POSITIVE, GenerationMode.NEGATIVE])
def test_every_answer_is_as_described(api: Any, mode: GenerationMode) -> None:
    """Status, type and fields of each answer; what is wrong is refused, and nothing breaks."""
    operations = [found.ok() for found in api.get_all_operations()]
    for operation in operations:
        try:
            _try(operation.as_strategy(generation_mode=mode))
        except Unsatisfiable:
            assert mode is GenerationMode.NEGATIVE, operation.label  # nothing in it can be wrong
    assert len(operations) > 15


@pytest.mark.parametrize("name", BODIES)
def test_what_can_be_done_is_answered_as_described(api: Any, name: str) -> None:
    """Each operation on an experiment, with an experiment that is one."""
    operations = [found.ok() for found in api.get_all_operations()]
    of_experiments = [one for one in operations if one.method == "post"]
    answered = {
        operation.label: _try(
            operation.as_strategy(body=BODIES[name], media_type="application/json"), 8
        )
        for operation in of_experiments
    }
    assert 200 in answered["POST /api/run"]
    assert 200 in answered["POST /api/many"]
    assert 200 in answered["POST /api/code"]


def test_what_was_kept_is_answered_as_described(api: Any) -> None:
    """A table and a run that are there."""
    kept = api["/api/tables/{name}"]["PUT"].Case(
        path_parameters={"name": "a.csv"}, body=b"x,y\n1,a\n2,b\n3,a\n", media_type="text/csv"
    )
    assert kept.call_and_validate(checks=CHECKS).json()["target"] == "y"
    saved = api["/api/runs/{name}"]["PUT"].Case(
        path_parameters={"name": "r"}, body=BODIES["classes"], media_type="application/json"
    )
    assert saved.call_and_validate(checks=CHECKS).json()["shape"] == [2, 3]
    for path, name in (("/api/tables/{name}", "a.csv"), ("/api/runs/{name}", "r")):
        case = api[path]["GET"].Case(path_parameters={"name": name})
        assert case.call_and_validate(checks=CHECKS).status_code == 200
    for path in ("/api/tables", "/api/runs"):
        assert len(api[path]["GET"].Case().call_and_validate(checks=CHECKS).content) > 30


def _try(cases: Any, n: int = 20) -> set[int]:
    """The statuses of the answers, each of them checked."""
    statuses = set()

    @settings(EXAMPLES, max_examples=n)
    @given(case=cases)
    def holds(case: Any) -> None:
        statuses.add(case.call_and_validate(checks=CHECKS).status_code)

    holds()
    return statuses
