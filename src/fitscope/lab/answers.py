"""What the lab's server takes and answers: experiments as JSON in, JSON and sentences out."""

import json
from collections.abc import AsyncIterator, Mapping
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, create_model
from starlette.requests import Request
from starlette.responses import Response

from fitscope.catalogue import DATASETS
from fitscope.errors import (
    ExperimentError,
    FitscopeError,
    InputFileError,
    OutputError,
)
from fitscope.lab.limits import Limits
from fitscope.lab.shapes import plain
from fitscope.settings import MOST_TOLD, Spec, shown_value, with_rest, worded
from fitscope.specs import DataSpec, Experiment, NetworkSpec, TrainingSpec

__all__ = [
    "EXPERIMENT_BODY",
    "JSON",
    "RUN_FILE",
    "ExperimentJson",
    "Problem",
    "RefusedError",
    "body_parts",
    "experiment_from",
    "experiment_of",
    "json_answer",
    "kind_of",
    "refusal",
    "refusals",
    "said",
    "status_of",
]

JSON = "application/json"
_DROPPED = 4  # times the limit that is read of a body that is too large
_PROBLEM = {"$ref": "#/components/schemas/Problem"}
_EXACT = ConfigDict(strict=True, extra="forbid", allow_inf_nan=False)
_MEANINGS = {
    400: "The request cannot be read.",
    403: "The request comes from elsewhere, or without the token.",
    404: "There is none of that name.",
    409: "It is under way already.",
    413: "The body is too large.",
    415: "The body is of another kind.",
    422: "It cannot be done; the sentence says why.",
    503: "Too much is asked for at once; try again.",
    507: "The workspace cannot be written.",
}


class Problem(BaseModel):
    """What the server answers in place of what was asked."""

    error: str = Field(description="one sentence for a person")
    problems: list[str] = Field(default=[], description="all sentences, where there are several")


class RefusedError(FitscopeError):
    """A request that is answered by a sentence and a status of its own."""

    def __init__(self, status: int, sentence: str) -> None:
        self.status = status
        super().__init__(sentence)


def _exact(spec: type[Spec], **given: Any) -> Any:
    """A model of the same fields that takes what JSON has for them and no text in its place."""
    fields: dict[str, Any] = {}
    for name, info in spec.model_fields.items():
        rules = [rule for rule in info.metadata if not isinstance(rule, BeforeValidator)]
        kind: Any = given.get(name, info.annotation)
        kind = Annotated[(kind, *rules)] if rules else kind
        default = ... if info.is_required() else info.get_default(call_default_factory=True)
        default = None if isinstance(default, Spec) else default
        fields[name] = (kind, Field(default, description=info.description))
    return create_model(spec.__name__, __config__=_EXACT, __doc__=spec.__doc__, **fields)


_Data = _exact(DataSpec, name=Literal[*DATASETS])
_Network, _Training = _exact(NetworkSpec), _exact(TrainingSpec)
ExperimentJson = _exact(Experiment, data=_Data, network=_Network, training=_Training)


EXPERIMENT_BODY = {
    "requestBody": {
        "required": True,
        "content": {JSON: {"schema": {"$ref": "#/components/schemas/Experiment"}}},
    }
}
RUN_FILE: dict[str, Any] = {
    "description": "A run file.",
    "content": {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}},
}


def refusals(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """The answers other than the wanted one, as the API's description has them."""
    return {
        status: {"description": _MEANINGS[status], "content": {JSON: {"schema": _PROBLEM}}}
        for status in sorted({403, *statuses})
    }


def json_answer(
    facts: Any, status: int = 200, headers: Mapping[str, str] | None = None
) -> Response:
    """Facts as JSON, with null for numbers that JSON does not have."""
    text = json.dumps(plain(facts), allow_nan=False, separators=(",", ":"))
    return Response(text, status, headers, media_type=JSON)


def refusal(status: int, sentence: str, problems: tuple[str, ...] = ()) -> Response:
    """A sentence as an answer."""
    headers = {"Retry-After": "1"} if status == 503 else None
    return json_answer({"error": sentence, "problems": list(problems)}, status, headers)


def status_of(error: FitscopeError) -> int:
    """The status of an answer that is an error's sentence."""
    if isinstance(error, RefusedError):
        return error.status
    if isinstance(error, OutputError):
        return 507
    return 404 if isinstance(error, InputFileError) else 422


async def body_parts(request: Request, most: int) -> AsyncIterator[bytes]:
    """The body, part by part, no further than to its limit.

    What is above it is read and dropped, so that a client that is still sending gets the answer;
    but not where it is more than four times as much.

    Raises:
        RefusedError: it is larger.
    """
    length = request.headers.get("content-length", "")
    n = int(length) if length.isdecimal() else 0
    if n <= _DROPPED * most:
        n = 0
        async for part in request.stream():
            n += len(part)
            if n <= most:
                yield part
            elif n > _DROPPED * most:
                break
    if n > most:
        raise RefusedError(413, f"The body has more than {most / 1e6:g} MB, the limit.")


async def experiment_of(request: Request) -> Experiment:
    """The experiment that is the request's body.

    Raises:
        RefusedError: the body is too large, of another kind, or no JSON.
        ExperimentError: settings are wrong; all are listed.
    """
    kind = kind_of(request)
    if kind != JSON:
        raise RefusedError(415, f"The body must be {JSON}; it is {kind[:80] or 'of no kind'}.")
    limits: Limits = request.app.state.lab.limits
    parts = [part async for part in body_parts(request, limits.json_bytes)]
    return experiment_from(b"".join(parts))


def kind_of(request: Request) -> str:
    """The kind of the body, such as `application/json`."""
    return request.headers.get("content-type", "").partition(";")[0].strip().lower()


def experiment_from(body: bytes) -> Experiment:
    """The experiment in a JSON text, whose values are of the types that JSON has for them.

    Raises:
        RefusedError: the text is not JSON.
        ExperimentError: settings are wrong; all are listed.
    """
    try:
        values = json.loads(body)
        if b"\\u" in body:  # an escape may be half of a character, which no text has
            json.dumps(values, ensure_ascii=False).encode()
    except RecursionError:
        raise RefusedError(400, "The text is not JSON: it is nested too deeply.") from None
    except UnicodeEncodeError:
        raise RefusedError(400, "The text holds half a character, a lone surrogate.") from None
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        raise RefusedError(400, f"The text is not JSON: {error}.") from None
    except ValueError:
        raise RefusedError(400, "The text cannot be read: a number in it is too long.") from None
    if not isinstance(values, dict):
        raise RefusedError(422, "An experiment in JSON is an object with a `data` part.")
    found = Experiment(**values)
    try:
        ExperimentJson.model_validate(values)
    except ValidationError as error:
        told = [_sentence(item) for item in error.errors(include_url=False)[:MOST_TOLD]]
        raise ExperimentError(with_rest(told, error.error_count())) from None
    return found


def _sentence(item: Any) -> str:
    place = ".".join(str(part) for part in item["loc"][:2])
    return f"`{place}` {said(item)}; got {shown_value(item['input'])}."


def said(item: Any) -> str:
    """What is wrong with a value, as the rest of a sentence."""
    text = worded(item).replace("a valid integer", "a whole number")
    return text.replace("String should match pattern", "must match")
