"""Hugging Face's servers (https://huggingface.co/docs/text-generation-inference)."""

from typing import Final

from webhook.core.api.workload import Workload
from webhook.core.integrations.integration import Integration, KnownProgram

INTEGRATION: Final = Integration(
    "Hugging Face TGI and TEI",
    programs=(
        KnownProgram(
            Workload.INFERENCE,
            command=r"text-generation-(launcher|server)|text-embeddings-router",
            image=r"text-generation-inference|text-embeddings-inference",
        ),
    ),
)
