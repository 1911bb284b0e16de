"""The command `gpu-sharing conformance`."""

import argparse
from typing import Final

from webhook.cli import output
from webhook.cli.cluster import flags, loaders
from webhook.cli.cluster.flags import Commands, Verb
from webhook.cli.output import JSON, TABLE, YAML
from webhook.cli.progress import progress
from webhook.cli.verbs.conformance.collect import (
    ConformanceReport,
    ProbeState,
    namespace_labels,
    send_probes,
)
from webhook.cli.verbs.conformance.render import render
from webhook.core.api import names

VERB: Final = Verb(
    "conformance",
    "Try in your own cluster, by dry runs, whether each way around a GPU's isolation is closed.",
    """\
Each probe is a pod that must be refused, sent as a dry run to a namespace that enforces: nothing is
created. It takes the right to create pods there. Probes that the policy lets through are named.

exit codes: 0 no probe is open, 1 some are, 2 they could not be tried

examples:
  gpu-sharing conformance -n red            best in a namespace of a tenant
  gpu-sharing conformance -n red -o json    for a job that watches over it
""",
)


def add_parser(commands: Commands) -> None:
    """Add the command to the parser."""
    parser = flags.add_verb(commands, VERB, run)
    flags.add_namespace_flag(parser, every=False)
    flags.add_output_flag(parser, TABLE, JSON, YAML)
    flags.add_cluster_flags(parser)


def run(args: argparse.Namespace) -> int:
    """Send the probes and print what they show. See the exit codes above."""
    with flags.open_cluster(args) as client, progress("sending probes …"):
        namespace = args.namespace or client.namespace
        labels = namespace_labels(client, namespace)
        source = loaders.policy(client, args.install, None)
        tenant = labels.get(names.TENANT)
        probes = tuple(send_probes(client, namespace, source.policy, isolated=tenant is not None))
        found = ConformanceReport(namespace, tenant, source.source, probes)
    output.show(render(found), args.output)
    outcomes = {each.outcome for each in found.probes}
    if ProbeState.SILENT in outcomes:
        return flags.FAILED
    return flags.FOUND if ProbeState.OPEN in outcomes else flags.FINE
