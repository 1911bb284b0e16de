"""The judge answers as the API server does where CEL, Go and Kubernetes have ways of their own."""

import pytest

from tests.cel.evaluator import Evaluator, EvaluatorError
from tests.cel.protocol import Case, Expression, Json, Judgement, Kind, Result, Rules, Variable

POD: Json = {
    "metadata": {"name": "p", "namespace": "n", "labels": {"app": "a"}},
    "spec": {
        "initContainers": [],
        "unheardOf": True,
        "containers": [
            {
                "name": "main",
                "image": "i",
                "resources": {"limits": {"nvidia.com/gpu": 1, "cpu": "1000m", "memory": "2048Mi"}},
                "livenessProbe": {"httpGet": {"port": 80}},
            },
            {
                "name": "side",
                "image": "i",
                "resources": {"limits": {"nvidia.com/gpu": "1"}},
                "livenessProbe": {"httpGet": {"port": "http"}},
            },
            {"name": "bare", "image": "i"},
        ],
    },
}
CASE = Case(POD, namespace={"metadata": {"name": "n"}})
LIMITS = "object.spec.containers[0].resources.limits"

TRUE = [
    # Only ASCII letters change; Python would change long s, I with dot, the Kelvin sign, sharp s.
    "'\u017f\u0130\u212aA'.lowerAscii() == '\u017f\u0130\u212aa'",
    "'\u017f\u0131\u00dfa'.upperAscii() == '\u017f\u0131\u00dfA'",
    # All occurrences, from left to right, once over.
    "'CAP_CAP_X'.replace('CAP_', '') == 'X' && 'CACAP_P_X'.replace('CAP_', '') == 'CAP_X'",
    "'CAP_CAP_X'.replace('CAP_', '', 1) == 'CAP_X'",
    "'a,,b'.split(',') == ['a', '', 'b'] && ''.split(',') == [''] && 'ab'.split('') == ['a', 'b']",
    # Go's white space: U+0085 and U+00A0 are, the separators that Python strips are not.
    "'\\u0085\\u00a0\\u2003x\\n'.trim() == 'x' && '\\u001cx\\u200b'.trim() == '\\u001cx\\u200b'",
    # RE2 searches anywhere, its dot is no newline, and $ is the very end.
    "'xay'.matches('a') && !'a\\nb'.matches('^a.b$') && !'a\\n'.matches('^a$')",
    "'\u212a'.matches('(?i)k') && !'\u0661'.matches('\\\\d')",
    # A list that is empty is not there, and what is not there is an error unless it is absorbed.
    "!has(object.spec.initContainers) && !has(object.spec.unheardOf)",
    "object.spec.initContainers.exists(c, true) || true",
    "object.spec.containers.exists(c, c.resources.limits['nvidia.com/gpu'] == '1')",
    "!object.spec.containers.all(c, has(c.resources.limits) && c.noField == 1)",
    "object.spec.containers.filter(c, has(c.resources.limits)).map(c, c.name) == ['main', 'side']",
    "object.?spec.?initContainers.orValue([]) == []",
    "object.metadata.labels[?'app'].hasValue() && !object.metadata.labels[?'no'].hasValue()",
    "'app' in object.metadata.labels && !('no' in object.metadata.labels)",
    "quantity('1500m').isGreaterThan(quantity('1')) && quantity('2Gi') == quantity('2048Mi')",
    # A quantity is read and written anew, whether it came as a number or as a string.
    f"{LIMITS}['nvidia.com/gpu'] == '1' && {LIMITS}['cpu'] == '1' && {LIMITS}['memory'] == '2Gi'",
    f"quantity({LIMITS}['memory']).compareTo(quantity('2Gi')) == 0",
    # Defaults are set before admission: requests come from limits.
    "object.spec.containers[1].resources.requests['nvidia.com/gpu'] == '1'",
    "object.spec.restartPolicy == 'Always' && object.spec.containers[2].resources == {}",
    "type(object.spec.containers[0].livenessProbe.httpGet.port) == int",
    "object.spec.containers[1].livenessProbe.httpGet.port == 'http'",
    "oldObject == null && request.operation == 'CREATE' && request.namespace == 'n'",
    "request.resource.resource == 'pods' && request.userInfo.username == 'somebody'",
    "!has(namespaceObject.metadata.labels) && namespaceObject.metadata.name == 'n'",
    "!authorizer.group('example.org').resource('namespaces').check('label').allowed()",
]
ERRORS = {
    "object.spec.initContainers.exists(c, true)": "no such key: initContainers",
    "object.spec.containers.all(c, c.name != '' && c.noField == 1)": "no such key: noField",
    "namespaceObject.metadata.labels['app'] == 'a'": "no such key: labels",
    "oldObject.spec == object.spec": "no such key: spec",
    "object.metadata.labels['no'] == 'a' || false": "no such key: no",
    # For a custom resource, whose labels are no Go map, it is false.
    "object.metadata.labels == 1": "no such overload",
    "object.spec.containers[9].name == 'a'": "index out of bounds: 9",
    "quantity('one') == quantity('1')": "quantities must match the regular expression",
}


def judged(expressions: dict[str, str], *cases: Case, kind: Kind = Kind.VALIDATION) -> Judgement:
    """The judgement of the last case by expressions with names."""
    rules = Rules(tuple(Expression(name, text, kind) for name, text in expressions.items()))
    with Evaluator(rules) as evaluator:
        return evaluator.judge(cases or (CASE,))[-1]


@pytest.fixture(scope="module")
def semantics() -> Judgement:
    """All of the above, by one process."""
    return judged({text: text for text in (*TRUE, *ERRORS)})


@pytest.mark.parametrize("expression", TRUE)
def test_true_in_kubernetes(semantics: Judgement, expression: str) -> None:
    result = semantics.results[expression]
    assert (result.value, result.error) == (True, None)


@pytest.mark.parametrize("expression", ERRORS)
def test_an_error_is_not_false(semantics: Judgement, expression: str) -> None:
    result = semantics.results[expression]
    assert result.value is None
    assert ERRORS[expression] in str(result.error)


def test_match_conditions_see_no_namespace() -> None:
    expressions = {"name": "namespaceObject.metadata.name == 'n'", "pod": "has(object.spec)"}
    judgement = judged(expressions, kind=Kind.MATCH_CONDITION)
    assert judgement.results["name"].error == "no such key: metadata"
    assert judgement.matches(["pod"]) is True
    assert judgement.matches(["pod", "name"]) is None


def test_one_false_condition_outweighs_errors() -> None:
    judgement = judged({"wrong": "object.no == 1", "false": "false"}, kind=Kind.MATCH_CONDITION)
    assert judgement.matches(["wrong", "false"]) is False


def test_a_custom_resource_keeps_what_was_written() -> None:
    custom = {"apiVersion": "example.org/v1", "kind": "Thing", "metadata": {"name": "t"}}
    case = Case({**custom, "spec": {"count": 1, "list": [], "cpu": "1000m"}})
    text = "object.spec.count == 1 && has(object.spec.list) && object.spec.cpu == '1000m'"
    other = "request.resource.resource == 'things' && object.metadata != 1"
    assert judged({"kept": text, "other": other}, case).results == {
        "kept": Result(value=True, error=None, cost=10),
        "other": Result(value=True, error=None, cost=7),
    }


def test_the_old_object_of_an_update() -> None:
    old = {**POD, "metadata": {**POD["metadata"], "labels": {"app": "b"}}}
    expressions = {"labels": "object.metadata.labels == oldObject.metadata.labels"}
    expressions["spec"] = "object.spec == oldObject.spec"
    results = judged(expressions, Case(POD, "UPDATE", old)).results
    assert (results["labels"].value, results["spec"].value) == (False, True)


def test_what_the_authorizer_allows() -> None:
    check = "authorizer.group('gpu-sharing.io').resource('namespaces').check('label').allowed()"
    case = Case(POD, request={"allowed": ["label namespaces.gpu-sharing.io"]})
    assert judged({"check": check}, case).results["check"].value is True


def test_an_error_in_a_variable_counts_where_it_is_read() -> None:
    variables = (Variable("broken", "object.no == 1"), Variable("fine", "'a'"))
    expressions = (Expression("reads", "variables.broken"), Expression("not", "'a' == 'a'"))
    with Evaluator(Rules(expressions, variables)) as evaluator:
        [judgement] = evaluator.judge([CASE])
    assert "fails to evaluate: no such key: no" in str(judgement.results["reads"].error)
    assert judgement.results["not"].value is True


@pytest.mark.parametrize(
    ("expression", "error"),
    [
        ("'a'.matches('(?=a)')", "invalid matches argument"),
        ("object.spec.", "Syntax error"),
        ("variables.tenant", "undeclared reference to 'variables'"),
        ("object.metadata.name", "must evaluate to bool"),
        ("params.a == 1", "undeclared reference to 'params'"),
    ],
)
def test_what_does_not_compile_is_told(expression: str, error: str) -> None:
    rules = Rules((Expression("e", expression, Kind.MATCH_CONDITION),))
    with Evaluator(rules) as evaluator:
        assert error in evaluator.compiled.errors["e"]
        assert error in evaluator.compiled.new_errors["e"]
        with pytest.raises(EvaluatorError):
            evaluator.judge([CASE])


def test_what_cannot_be_decoded_is_refused() -> None:
    judgement = judged({"e": "true"}, Case({"spec": {"containers": 5}}))
    assert "cannot unmarshal number" in str(judgement.refused)
    assert judgement.results == {}


def test_answers_come_in_the_order_of_the_cases() -> None:
    rules = Rules((Expression("even", "int(object.metadata.name) % 2 == 0"),))
    cases = [Case({"metadata": {"name": str(number)}}) for number in range(3000)]
    with Evaluator(rules) as evaluator:
        values = [judgement.results["even"].value for judgement in evaluator.judge(cases)]
    assert values == [number % 2 == 0 for number in range(3000)]
