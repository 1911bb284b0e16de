"""The pools that a policy declares, from their file form."""

from collections.abc import Mapping
from typing import Final

from webhook.core.api import mig, names, node, quantity
from webhook.core.api.mig import Profile
from webhook.core.gpu.meaning import possible_strategies
from webhook.core.gpu.resources import parse_resource
from webhook.core.gpu.strategies import Strategy
from webhook.core.gpu.values import (
    DeclaredPool,
    DeviceLabels,
    ExtendedResource,
    Form,
    NodeRequirement,
    Offer,
)
from webhook.core.policy.schema import PoolFile

_OF_STRATEGY: Final = ("selector", "resource", "profile", "product", "memory", "replicas", "amount")


class PoolError(ValueError):
    """A pool that cannot be, with the `key` that is wrong."""

    def __init__(self, key: str, message: str) -> None:
        super().__init__(message)
        self.key = key


def compile_pool(pool: PoolFile) -> DeclaredPool:
    """Return a pool from either of its two forms.

    | form | says |
    |---|---|
    | `labels`, `allocatable` | how a node of it will look, with labels that tell |
    | `selector`, `strategy` … | what the nodes are that have these labels, which do not tell |

    Raises:
        PoolError: a mixture of both, or a device that cannot be given so.

    """
    if pool.strategy is None:
        return _labelled(pool)
    if pool.allocatable:
        raise PoolError("allocatable", "write `amount` beside `strategy`, not `allocatable`")
    if not pool.selector:
        text = "a pool with a `strategy` needs the labels by which its nodes are known"
        raise PoolError("selector", text)
    offer = _offer(pool, pool.strategy)
    amount = {} if pool.amount is None else {offer.resource: pool.amount}
    look = _node(pool, {**pool.labels, **pool.selector}, amount)
    return DeclaredPool(pool.name, look, pool.selector, offer, pool.amount, pool.autoscaler)


def _labelled(pool: PoolFile) -> DeclaredPool:
    for key in _OF_STRATEGY:
        if getattr(pool, key):
            raise PoolError(key, f"`{key}` goes with `strategy`: write that too, or remove it")
    if not pool.allocatable:
        text = "write `strategy` with `selector`, or `allocatable` with `labels`"
        raise PoolError("allocatable", text)
    for resource, raw in pool.allocatable.items():
        try:
            quantity.count(raw)
        except quantity.QuantityError as error:
            raise PoolError(f"allocatable[{resource}]", str(error)) from None
    look = _node(pool, pool.labels, pool.allocatable)
    return DeclaredPool(pool.name, look, {}, autoscaler=pool.autoscaler)


def _node(
    pool: PoolFile, labels: Mapping[str, str], allocatable: Mapping[str, quantity.Raw]
) -> node.Node:
    return node.Node(
        metadata=node.NodeMetadata(name=pool.name, labels=dict(labels)),
        spec=node.NodeSpec(taints=tuple(node.Taint(t.key, t.effect, t.value) for t in pool.taints)),
        status=node.NodeStatus(allocatable=dict(allocatable)),
    )


def _offer(pool: PoolFile, strategy: Strategy) -> Offer:
    resource = parse_resource(pool.resource or names.GPU)
    if resource is None:
        text = f"{pool.resource!r} is no GPU resource; write for example {names.GPU}"
        raise PoolError("resource", text)
    if strategy not in possible_strategies(resource.name):
        raise PoolError("resource", f"{resource.name} is never given as {strategy}")
    profile = _profile(pool, strategy, resource.profile)
    total, replicas = _memory(pool, profile), _replicas(pool, strategy)
    requirements = (NodeRequirement(k, "In", (v,)) for k, v in sorted(pool.selector.items()))
    product = pool.product or ""
    divided = total // replicas if total and strategy.traits.divides_memory else total
    return Offer(
        delivery=ExtendedResource(resource.name),
        form=Form(strategy, frozenset({resource.kind}), tuple(requirements), DeviceLabels()),
        product=product,
        memory=divided,
        total=total,
        gpu_memory=None,
        replicas=replicas,
        profile=profile,
        amount=pool.amount or 0,
        existing=pool.amount or 0,
        mig_capable=profile is not None or mig.is_mig_product(product),
    )


def _profile(pool: PoolFile, strategy: Strategy, named: Profile | None) -> Profile | None:
    """The MIG profile, by its key or the resource's name."""
    try:
        stated = None if pool.profile is None else mig.parse_profile(pool.profile)
    except mig.ProfileError as error:
        raise PoolError("profile", str(error)) from None
    if stated and not strategy.traits.takes_profile:
        raise PoolError("profile", f"{strategy} gives no MIG device; remove it")
    if stated and named and stated != named:
        raise PoolError("profile", f"{pool.resource} is of {named.name}; remove one of them")
    if strategy is Strategy.MIG and not (stated or named):
        raise PoolError("profile", "missing; write the MIG profile, for example 1g.10gb")
    return stated or named


def _memory(pool: PoolFile, profile: Profile | None) -> int | None:
    if pool.memory is None:
        return mig.least_memory(profile) if profile else None
    try:
        return quantity.mebibytes(pool.memory)
    except quantity.QuantityError as error:
        raise PoolError("memory", str(error)) from None


def _replicas(pool: PoolFile, strategy: Strategy) -> int:
    if strategy.traits.isolated:
        if pool.replicas is not None:
            raise PoolError("replicas", f"{strategy} has no replicas; remove it")
        return 1
    if pool.replicas is None or pool.replicas < 2:  # noqa: PLR2004 - one is no share
        raise PoolError("replicas", "write how many pods share one device, 2 or more")
    return pool.replicas
