"""The form of every typed part of a Kubernetes object that we read."""

from msgspec import Struct


class Part(Struct, frozen=True, rename="camel", gc=False):
    """Immutable, and without unknown fields: this is a view for reading."""
