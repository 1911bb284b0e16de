"""The application that answers reviews, and leaves all else to the handler behind it.

A review must not pay for a framework, nor wait: where the labels of its namespace are not known
yet, it becomes a coroutine, and other reviews go on.
"""

from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from time import perf_counter
from typing import Final

from msgspec import Struct, field

from webhook.core.api import names
from webhook.core.api.admission import Mode, Side
from webhook.core.gpu.values import Inventory
from webhook.server.admission import advise, decode, encode, memo, policy_review
from webhook.server.admission.body import JSON, read_body
from webhook.server.admission.budget import TimeBudget
from webhook.server.admission.decode import ReviewRequest, Route
from webhook.server.admission.error_boundary import (
    UNAVAILABLE,
    ErrorBoundary,
    PendingReview,
    ReviewAnswer,
    ReviewError,
    ReviewObserver,
    Skipped,
)
from webhook.server.admission.policy_review import PolicyJudge
from webhook.server.admission.turns import take_turns
from webhook.server.http.messages import Handler, HttpRequest, HttpResponse
from webhook.server.state import NO_LABELS, Labels, NamespaceLookup, ServerState

ROUTES: Final = {
    "/mutate": Route(Side.MUTATE, Mode.ENFORCE),
    "/validate": Route(Side.VALIDATE, Mode.ENFORCE),
    "/audit/mutate": Route(Side.MUTATE, Mode.AUDIT),
    "/audit/validate": Route(Side.VALIDATE, Mode.AUDIT),
}

Endpoint = Callable[[bytes], PendingReview]


class AdmissionApp(Struct, frozen=True):
    """What the review endpoints share.

    `judge` reads the text of a policy. `page` explains the reasons to people, empty for none;
    `fallback` answers all other paths. With `by_mode` the namespaces are a cluster's, whose API
    server asks a path about its mode only. Reviews are answered to `callers` only, by the names in
    their certificates; to anybody if there are none.
    """

    state: ServerState
    namespaces: NamespaceLookup
    observer: ReviewObserver
    judge: PolicyJudge
    fallback: Handler
    page: str = ""
    by_mode: bool = False
    callers: frozenset[str] = frozenset()
    for_advice: TimeBudget = field(default_factory=TimeBudget)
    for_policies: TimeBudget = field(default_factory=TimeBudget)
    answers: memo.AnswerMemo = field(default_factory=memo.AnswerMemo)


def create_handler(app: AdmissionApp) -> Handler:
    """Return the handler of all paths.

    | request | answer |
    |---|---|
    | POST of an AdmissionReview to ROUTES, /advise or /policy | 200 with the review's answer |
    | there without a certificate of `callers` | 403 |
    | another method there | 405 |
    | another content type | 415 |
    | not JSON, not an AdmissionReview of v1, a wrong type inside | 400 with path and expectation |
    | before inventory or namespace are known, in a while | 503, so that failurePolicy decides |
    | anything unforeseen | 500 that names the uid |
    """
    endpoints: dict[str, Endpoint] = {
        **{path: partial(_read_pod_review, app, route) for path, route in ROUTES.items()},
        advise.PATH: partial(_read_advice_review, app),
    }

    def handle(request: HttpRequest) -> HttpResponse | Awaitable[HttpResponse]:
        endpoint = endpoints.get(request.path)
        if request.path == policy_review.PATH:
            return _judge_policy(app, request)
        if endpoint is None:
            return app.fallback(request)
        started = perf_counter()
        try:
            review = endpoint(read_body(request, app.callers))
            name, modes = review.namespace, review.modes
            labels = app.namespaces(name, modes) if name else NO_LABELS
            if not isinstance(labels, Mapping) or app.state.inventory is None:
                return _answer_later(app, review, labels, started)
            return _respond(app, _answer(app, review, labels), started)
        except ReviewError as error:
            return _respond_error(app, error)

    return take_turns(handle)


async def _answer_later(
    app: AdmissionApp,
    review: PendingReview,
    found: Labels | Awaitable[Labels | None],
    started: float,
) -> HttpResponse:
    labels = found if isinstance(found, Mapping) else await found
    await app.state.wait_for_nodes()
    if labels is None:
        text = f"namespace {review.namespace!r}: labels unknown"
        return _respond_error(app, ReviewError(UNAVAILABLE, text))
    try:
        return _respond(app, _answer(app, review, labels), started)
    except ReviewError as error:
        return _respond_error(app, error)


async def _judge_policy(app: AdmissionApp, request: HttpRequest) -> HttpResponse:
    try:
        sent = read_body(request, app.callers)
        body = await policy_review.answer_policy(sent, app.judge, app.for_policies)
        return HttpResponse("200 OK", [("Content-Type", JSON)], body)
    except ReviewError as error:
        return _respond_error(app, error)


def _answer(app: AdmissionApp, review: PendingReview, labels: Labels) -> ReviewAnswer:
    """Answer a review, and tell nothing of a namespace of another mode than the path.

    The API server asks that at most while the label changes. Anybody else may ask anything.
    """
    if app.by_mode and review.namespace and labels.get(names.MODE) not in review.modes:
        body = encode.warn(review.uid, ())
        return ReviewAnswer(body, lambda observer, _: observer.skipped(Skipped.OTHER_MODE))
    return review.answer(labels)


def _respond(app: AdmissionApp, answer: ReviewAnswer, started: float) -> HttpResponse:
    took = perf_counter() - started
    headers = [("Content-Type", JSON)]
    return HttpResponse("200 OK", headers, answer.body, lambda: answer.report(app.observer, took))


def _respond_error(app: AdmissionApp, error: ReviewError) -> HttpResponse:
    status, text = error.status, str(error)
    headers = [("Content-Type", "text/plain; charset=utf-8")]
    return HttpResponse(status, headers, text.encode(), lambda: app.observer.failed(status, text))


def _read_pod_review(app: AdmissionApp, route: Route, body: bytes) -> PendingReview:
    asked = decode.decode_review(body)
    name = asked.namespace if decode.is_pod(asked) else ""
    return PendingReview(asked.uid, name, (route.mode,), partial(_answer_pod, app, route, asked))


def _answer_pod(
    app: AdmissionApp, route: Route, asked: ReviewRequest, labels: Labels
) -> ReviewAnswer:
    policy, inventory = app.state.policy, _known_inventory(app.state)
    request = decode.to_request(asked, route, labels, decode.decode_pods(asked))
    with ErrorBoundary(request.uid):
        found = app.answers.answer(request, policy, inventory, app.page)
        said = encode.with_uid(request.uid, found.rest)
    return ReviewAnswer(
        said, lambda observer, seconds: observer.reviewed(request, found.verdict, seconds)
    )


def _read_advice_review(app: AdmissionApp, body: bytes) -> PendingReview:
    """Read an object, or say that advice has taken its share of the time."""
    budget = app.for_advice
    asked = decode.decode_review(body)
    if not budget.is_left():
        return PendingReview(asked.uid, "", (), lambda _: advise.no_advice(asked))
    with budget.spend():
        subject = advise.read_subject(asked)

    def answer(labels: Labels) -> ReviewAnswer:
        inventory = _known_inventory(app.state)
        context = advise.AdviceContext(app.state.policy, inventory, app.page)
        with budget.spend():
            return advise.answer_advice(asked, subject, labels, context)

    return PendingReview(asked.uid, asked.namespace, tuple(Mode), answer)


def _known_inventory(state: ServerState) -> Inventory:
    """Return what the cluster offers.

    Raises ReviewError before that is known.
    """
    if state.inventory is None:
        raise ReviewError(UNAVAILABLE, "the nodes of the cluster are not known yet")
    return state.inventory
