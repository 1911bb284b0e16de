"""The table of strategies and the forms of the dialects: forward and backward they say the same."""

from itertools import product

import msgspec
import pytest
import strategies as generated
from casefiles import CASES, expand
from casefiles import read as library
from hypothesis import given

from webhook.core.api import mig
from webhook.core.api.node import Node
from webhook.core.api.pod import Pod
from webhook.core.gpu.dialect import form_of, node_shows
from webhook.core.gpu.dialects import DIALECTS
from webhook.core.gpu.meaning import FORMS, strategy_of_request
from webhook.core.gpu.reading import read_node
from webhook.core.gpu.resources import parse_resource
from webhook.core.gpu.strategies import Strategy
from webhook.core.gpu.values import NodeRequirement


def read(short: dict) -> Node:
    """The node of a short form."""
    return msgspec.convert(expand("node", short), Node)


def pod_on(offer) -> Pod:
    """A pod that requests an offer by name, with the node affinity that the offer's form writes."""
    required = [
        {"key": each.key, "operator": each.operator, "values": list(each.values)}
        for each in offer.form.requirements
    ]
    if offer.form.product_pattern:
        key = offer.form.labels.product
        required.append({"key": key, "operator": "In", "values": [offer.product]})
    terms = {"nodeSelectorTerms": [{"matchExpressions": required}]}
    node = {"requiredDuringSchedulingIgnoredDuringExecution": terms}
    main = {"name": "main", "resources": {"limits": {offer.resource: 1}}}
    spec = {"containers": [main], "affinity": {"nodeAffinity": node}}
    return msgspec.convert({"spec": spec}, Pod)


def shows_what_it_offers(short) -> None:
    node = read(short)
    for offer in read_node(node).offers:
        resource = parse_resource(offer.resource)
        forms = [form_of(resource, form) for form in FORMS[resource.kind]]
        shown = {form.strategy for form in forms if node_shows(form, node.metadata.labels)}
        assert shown == {offer.strategy}, "by the forms of the dialects"


@given(generated.nodes())
def test_a_node_that_offers_a_device_shows_no_other_strategy_for_its_name(short):
    shows_what_it_offers(short)


PLATFORMS = {
    name: short for name, short in library(CASES / "nodes.yaml").items() if "labels" in short
}


@pytest.mark.parametrize("platform", PLATFORMS)
def test_a_node_of_a_platform_shows_what_it_offers(platform):
    shows_what_it_offers(PLATFORMS[platform])


@given(generated.nodes())
def test_what_an_offer_requires_of_nodes_amounts_to_its_strategy(short):
    for offer in read_node(read(short)).offers:
        assert strategy_of_request(pod_on(offer), offer.resource) is offer.strategy


@pytest.mark.parametrize("sharing", ["none", "mps", "time-slicing"])
@pytest.mark.parametrize("platform", PLATFORMS)
def test_two_systems_that_label_one_node_agree_or_it_offers_nothing(platform, sharing):
    short = PLATFORMS[platform]
    ours = {read_offer.strategy for read_offer in read_node(read(short)).offers}
    gfd = {"sharing": sharing, "product": "NVIDIA-X"}
    if sharing != "none":
        gfd["labels"] = short["labels"] | {"nvidia.com/gpu.replicas": str(_amount(short))}
    found = read_node(read(short | gfd)).offers
    assert len({each.strategy for each in found}) <= 1
    if ours and found:
        assert {each.strategy for each in found} == ours


def _amount(short):
    return max([2, *short.get("allocatable", {}).values()])


def test_every_strategy_has_a_form_in_some_dialect():
    for strategy in Strategy:
        assert any(dialect.forms(strategy) for dialect in DIALECTS)


def required_by(form):
    """What a form requires of labels; GFD writes gpu.slices.gi wherever the product says MIG."""
    if form.product_pattern == mig.PRODUCT_PATTERN:
        return (*form.requirements, NodeRequirement("nvidia.com/gpu.slices.gi", "Exists"))
    return form.requirements


def exclude(one, other):
    """Whether no value of one label meets two requirements."""
    if one.key != other.key or one.operator == other.operator == "DoesNotExist":
        return False
    if "DoesNotExist" in (one.operator, other.operator):
        return True
    return bool(one.values and other.values) and not set(one.values) & set(other.values)


@pytest.mark.parametrize("dialect", DIALECTS, ids=lambda each: each.name)
def test_the_requirements_of_two_strategies_never_match_one_node(dialect):
    forms = [form for strategy in Strategy for form in dialect.forms(strategy)]
    for one, other in product(forms, forms):
        if one.strategy is other.strategy or not one.kinds & other.kinds:
            continue
        pairs = product(required_by(one), required_by(other))
        assert any(exclude(*pair) for pair in pairs), (
            f"{dialect.name}: a pod pinned for {one.strategy} could stand where {other.strategy} is"
        )
