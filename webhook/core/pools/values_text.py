"""Helm values as text, in which the files within stand as blocks."""

from typing import Any

import yaml


class _Blocks(yaml.SafeDumper):
    """Writes texts of several lines as blocks."""


def _block(dumper: yaml.SafeDumper, text: str) -> yaml.Node:
    style = "|" if "\n" in text else None
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)


_Blocks.add_representer(str, _block)


def values_text(values: Any) -> str:
    """Return values as YAML. Keys stay in their order."""
    return yaml.dump(values, Dumper=_Blocks, sort_keys=False, width=100)
