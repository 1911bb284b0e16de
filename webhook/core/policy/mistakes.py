"""Mistakes of a policy file that has the right form."""

import difflib
import re
from collections.abc import Iterable, Iterator
from typing import Final

from webhook.core.api import mig, names
from webhook.core.checks import capabilities
from webhook.core.gpu.reading import read_pool
from webhook.core.gpu.strategies import Strategy
from webhook.core.gpu.values import DeclaredPool, Inventory
from webhook.core.policy.values import MIG_CAPABLE, NOT_MIG_CAPABLE, Policy, RowName

_WORD: Final = re.compile(r"[A-Za-z0-9]+(?:[-.][A-Za-z0-9]+)*", re.ASCII)
_KEY: Final = re.compile(r"(?:[a-z0-9.-]+/)?[A-Za-z0-9](?:[A-Za-z0-9_.-]*[A-Za-z0-9])?", re.ASCII)
_ACCOUNT: Final = "system:serviceaccount:"
_ACCOUNT_PARTS: Final = 4
_GROUPS: Final = re.compile(
    r"system:(?:masters|nodes|authenticated|unauthenticated|monitoring|serviceaccounts(?::.*)?"
    r"|bootstrappers(?::.*)?)"
)
# Source: product names in the labels of GPU Feature Discovery (NVIDIA's data centre GPUs).
_UNDIVIDED: Final = (
    *("T4", "V100", "P100", "P40", "P4", "M60", "K80", "L4", "L40", "L40S", "L20", "L2"),
    *("A10", "A10G", "A10M", "A16", "A2", "A40", "RTX-A4000", "RTX-A5000", "RTX-A6000"),
)
_OF_TRAINING: Final = (RowName.TRAINING, RowName.TENANT_TRAINING)
_TRAINING_SHARES: Final = (
    "training fills a GPU, so a part makes it slow; write exclusive, and label small jobs dev"
)


def wrong_user(name: str) -> str | None:
    """Return what is wrong with a name of `exemptUsers`, None for a user's.

    | name | |
    |---|---|
    | `system:serviceaccount:NAMESPACE:NAME`, `jane@example.com` | fine |
    | `*`, `system:serviceaccount:ci:*` | no patterns |
    | `system:masters`, `system:serviceaccounts:ci` | a group |
    | `system:serviceaccount:ci` | not a whole name |
    """
    meant = f"write whole user names, such as {_ACCOUNT}NAMESPACE:NAME"
    if "*" in name or "?" in name:
        return f"{name!r} is a pattern, which matches no user; {meant}"
    if _GROUPS.fullmatch(name):
        return f"{name!r} is a group, and the list is of users; {meant}"
    if name.startswith(_ACCOUNT) and len([*filter(None, name.split(":"))]) != _ACCOUNT_PARTS:
        return f"{name!r} is no service account; {meant}"
    return None


def wrong_key(key: str) -> str | None:
    """Return what is wrong with the key of a label or taint."""
    if _KEY.fullmatch(key):
        return None
    return f"{key!r} is no key; write it alone, such as example.com/name, without value or effect"


def wrong_taint(text: str) -> str | None:
    """Return what is wrong with a taint that is written `KEY` or `KEY=VALUE`."""
    key, _, value = text.partition("=")
    if _KEY.fullmatch(key) and (not value or _WORD.fullmatch(value)):
        return None
    return f"{text!r} is no taint; write KEY or KEY=VALUE, such as sku=gpu, without effect"


def wrong_capability(name: str) -> str | None:
    """Return what is wrong with a name of `tenantCapabilities`, None for Linux' own."""
    if name == "ALL":
        return "ALL makes tenants root on the node; write those that they need"
    if name in capabilities.KNOWN:
        return None
    near = difflib.get_close_matches(name.removeprefix("CAP_"), capabilities.KNOWN, n=1)
    return f"{name!r} is no capability{f'; did you mean {near[0]}?' if near else ''}"


def wrong_product(word: str) -> str | None:
    """Return what is wrong with a word of `on`, None for a product's."""
    if word in (MIG_CAPABLE, NOT_MIG_CAPABLE) or _WORD.fullmatch(word):
        return None
    return (
        f"{word!r} can stand in no product name; write words of it, such as A100 for "
        f"NVIDIA-A100-SXM4-80GB, or {MIG_CAPABLE} or {NOT_MIG_CAPABLE}"
    )


def empty_pool(pool: DeclaredPool) -> str | None:
    """Return why a declared pool offers nothing, None where it offers something."""
    found = read_pool(pool)
    if pool.offer is not None or found.offers:
        return None
    why = "; ".join(f"{each.resource}: {each.detail}".lstrip(": ") for each in found.unusable)
    why = why or f"allocatable names no {names.NVIDIA} resource above 0"
    return (
        f"pool {pool.name} offers nothing: {why}; write labels and allocatable as a node of it "
        "will have them, or a selector and a strategy"
    )


def doubtful(policy: Policy) -> Iterator[str]:
    """Yield what was most likely not meant in a policy, each with the mend."""
    for each in sorted(policy.tenant_allowances.capabilities & {*capabilities.REACHING}):
        yield f"tenantCapabilities: {each} reaches the node, and so every tenant's GPU; remove it"
    for name, row in policy.matrix.items():
        for choice in row.choices:
            if name in _OF_TRAINING and not choice.strategy.traits.whole:
                yield f"matrix.{name}: {choice.strategy}: {_TRAINING_SHARES}"
            for word in choice.on:
                wrong = _doubt(choice.strategy, word)
                if wrong is not None:
                    yield f"matrix.{name}: {choice.strategy} on {word}: {wrong}"


def _doubt(strategy: Strategy, word: str) -> str | None:
    """Why a word of `on` is unlikely to match."""
    if word == MIG_CAPABLE:
        return None
    if strategy.traits.takes_profile and strategy.traits.isolated:
        if word == NOT_MIG_CAPABLE:
            return f"such GPUs have no MIG; write {MIG_CAPABLE}, or another strategy"
        if _is_named(word, mig.MIG_PRODUCTS):
            return None
        return f"no GPU with MIG is known by that name{_near(word, mig.MIG_PRODUCTS)}"
    known = (*mig.MIG_PRODUCTS, *_UNDIVIDED, NOT_MIG_CAPABLE)
    guess = _near(word, known)
    return f"no GPU is known by that name{guess}" if guess and not _is_named(word, known) else None


def _is_named(word: str, known: Iterable[str]) -> bool:
    return any(mig.is_product(word, each) or mig.is_product(each, word) for each in known)


def _near(word: str, known: Iterable[str]) -> str:
    found = difflib.get_close_matches(word.upper(), known, n=1, cutoff=0.8)
    return f"; did you mean {found[0]}?" if found else ""


def unmatched(policy: Policy, inventory: Inventory) -> Iterator[str]:
    """Yield each word of `on` that no GPU of the cluster has in its name."""
    products = {offer.product for group in inventory.groups for offer in group.offers}
    for name, row in policy.matrix.items():
        for choice in row.choices:
            for word in choice.on:
                known = word in (MIG_CAPABLE, NOT_MIG_CAPABLE)
                if not known and not any(mig.is_product(word, each) for each in products):
                    yield (
                        f"matrix.{name}: {choice.strategy} on {word}: no GPU of the cluster is "
                        f"named so; there are {', '.join(sorted(products)) or 'none'}"
                    )
