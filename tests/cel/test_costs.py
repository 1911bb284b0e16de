"""The expressions of deploy/install.yaml compile, and cost what the API server allows.

The cost of an expression that stops at a key of a map differs from run to run by the order of
the keys, so no cost of those is stated exactly.
"""

import pytest

from tests.cel import admitted, rendered
from tests.cel.evaluator import Evaluator
from tests.cel.protocol import Budgets, Case, Expression, Json, Kind, Rules
from tests.cel.rendered import Policy, Webhook

INSTALL = rendered.read()
OWNERS = (*INSTALL.webhooks, *INSTALL.policies)
FEW, MANY = 10, 1000

BY_CONTAINER = ("validate.gpu-sharing.io", INSTALL.policies[0].name)
"""Whose rules look at each container, unless a pod is too large."""
OVER: dict[str, str] = {}
"""Expressions that cost too much with MANY containers, and the reason why that is accepted."""

PAIRS = "object.spec.containers.all(a, object.spec.containers.all(b, a.name + b.name != ''))"
TRIPLES = PAIRS.replace("a.name + b", "object.spec.containers.all(c, c.name != '') && b")
LONG = f"!object.spec.containers[0].image.contains('{'y' * 100}')"
SPENT = "validation failed due to running out of cost budget, no further validation rules"


def requests(owner: Webhook | Policy, size: int) -> list[Case]:
    """Requests of this size that break no rule, and that break many, when made and changed."""
    return [
        admitted.case(owner.name, size, operation=operation, breaking=breaking)
        for breaking in (False, True)
        for operation in ("CREATE", "UPDATE")
    ]


def within(budgets: Budgets, owner: Webhook | Policy, costs: dict[str, int]) -> None:
    """Assert that each cost is allowed, and what the expressions of each kind cost together."""
    assert max(costs.values()) <= budgets.per_call
    kinds = {e.name: e.kind for e in owner.rules.expressions}
    spent = {kind: sum(costs[name] for name in costs if kinds[name] is kind) for kind in Kind}
    assert spent[Kind.VALIDATION] <= budgets.validations
    assert spent[Kind.MATCH_CONDITION] <= budgets.match_conditions


def crowd(size: int) -> Case:
    """A pod of so many containers."""
    containers: list[Json] = [{"name": f"c{number}", "image": "i"} for number in range(size)]
    return Case({"metadata": {"name": "p"}, "spec": {"containers": containers}})


def wide() -> Case:
    """A pod with a long text."""
    image = {"name": "c", "image": "x" * 700_000}
    return Case({"metadata": {"name": "p"}, "spec": {"containers": [image]}})


def costly(count: int, kind: Kind, group: str = "") -> Rules:
    """So many expressions that cost 700 006 of a `wide` pod, and little time."""
    names = [f"{group}{number}" for number in range(count)]
    return Rules(tuple(Expression(name, LONG, kind, group) for name in names))


def test_the_constants_are_those_of_the_api_server() -> None:
    with Evaluator(Rules(())) as evaluator:
        assert evaluator.compiled.budgets == Budgets(1_000_000, 10_000_000, 2_500_000)
        assert evaluator.compiled.compatibility == "1.36"


@pytest.mark.parametrize("owner", OWNERS, ids=lambda owner: owner.name)
def test_each_compiles_stored_and_new_and_a_thousand_containers_are_within_the_budgets(
    owner: Webhook | Policy,
) -> None:
    with Evaluator(owner.rules) as evaluator:
        assert evaluator.compiled.errors == evaluator.compiled.new_errors == {}
        few, many = (evaluator.judge(requests(owner, size)) for size in (FEW, MANY))
        pair = evaluator.judge([requests(owner, size)[0] for size in (4, 40)])
        budgets = evaluator.compiled.budgets
    assert [judgement.refused for judgement in (*few, *many)] == [None] * 8
    assert not any(result.error for judgement in few for result in judgement.results.values())
    for judgement in many:
        results = judgement.results
        assert {name for name in results if results[name].error} == OVER.keys() & results.keys()
        within(budgets, owner, {name: results[name].cost for name in results.keys() - OVER.keys()})
    if owner.name in BY_CONTAINER:
        small, large = (sum(each.cost for each in j.results.values()) for j in pair)
        assert 5 * small < large < 15 * small


def test_a_cost_is_counted_exactly() -> None:
    with Evaluator(Rules((Expression("0", PAIRS),))) as evaluator:
        costs = [j.results["0"].cost for j in evaluator.judge([crowd(10), crowd(20)])]
    assert costs == [874, 3344]


def test_one_expression_over_its_limit_is_an_error_of_its_own() -> None:
    rules = Rules((Expression("much", TRIPLES), Expression("little", "true")))
    with Evaluator(rules) as evaluator:
        [judgement] = evaluator.judge([crowd(100)])
    assert judgement.results["much"].error == "operation cancelled: actual cost limit exceeded"
    assert judgement.results["much"].cost > evaluator.compiled.budgets.per_call
    assert judgement.results["little"].value is True


@pytest.mark.parametrize(("kind", "affordable"), [(Kind.MATCH_CONDITION, 3), (Kind.VALIDATION, 14)])
def test_a_budget_that_is_spent_is_an_error_of_all(kind: Kind, affordable: int) -> None:
    """Each costs 700 006; the API server gives no value at all once one is too many."""
    rules = costly(affordable + 1, kind)
    names = tuple(e.name for e in rules.expressions)
    paid = Case(wide().object, only=names[:affordable])
    with Evaluator(rules) as evaluator:
        all_of_them, fewer = evaluator.judge([wide(), paid])
    assert {r.value for r in all_of_them.results.values()} == {None}
    assert all(SPENT in str(r.error) for r in all_of_them.results.values())
    assert [fewer.results[name].value for name in names[:affordable]] == [True] * affordable


def test_each_webhook_has_a_budget_of_its_own() -> None:
    groups = [costly(2, Kind.MATCH_CONDITION, group).expressions for group in ("a", "b")]
    with Evaluator(Rules((*groups[0], *groups[1]))) as evaluator:
        [judgement] = evaluator.judge([wide()])
    assert {r.value for r in judgement.results.values()} == {True}
