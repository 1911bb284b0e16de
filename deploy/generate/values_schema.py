"""The schema of the chart's values, in which `policy` follows from the types of a policy file."""

import json
from pathlib import Path
from typing import Any, Final

from webhook.core.policy.load import policy_schema

PATH: Final = "deploy/chart/values.schema.json"
_ROOT: Final = Path(__file__).parents[2]


def values_schema() -> str:
    """Return the schema as it is, with what a policy may state, by the draft that Helm reads."""
    whole: dict[str, Any] = json.loads((_ROOT / PATH).read_text(encoding="utf-8"))
    made = json.loads(json.dumps(policy_schema()).replace("#/$defs/", "#/definitions/"))
    parts = made["$defs"]
    policy = parts.pop("PolicyFile")
    for key in policy.pop("required"):  # the chart writes these itself
        del policy["properties"][key]
    whole["properties"]["policy"] = policy
    whole["definitions"] = parts
    return json.dumps(whole, indent=2) + "\n"
