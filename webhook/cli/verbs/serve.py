"""`gpu-sharing serve`: joins files or cluster, decision, trail and process; decides nothing."""

import argparse
import os
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final
from wsgiref.types import WSGIApplication

from prometheus_client import start_http_server

from webhook.cli import background, flags, loaders, state_source
from webhook.cli.manifests import InputError
from webhook.core.api import reasons
from webhook.core.policy import load as policy_file
from webhook.core.policy.values import Policy
from webhook.server import audit_log
from webhook.server import metrics as metric
from webhook.server.admission.app import create_reviews
from webhook.server.http.process import Process, Serving
from webhook.server.metrics import Metrics
from webhook.server.probes import Check, Health, create_app
from webhook.server.reload import ReloadedFile, Told
from webhook.server.sources import Sources
from webhook.server.state import Snapshots
from webhook.server.tls import BadPair, ServingCertificate

WRONG_SETTINGS: Final = 2
MAY_BE_EMPTY: Final = ("--reasons-page",)  # which then means none, not the default
EPILOG = """\
every flag is also an environment variable: GPU_SHARING_TLS_CERT, GPU_SHARING_BIND and so on.
files are read again when they change; a bad one is refused, told and the last good one kept.

exit codes: 0 stopped by a signal, 2 settings, certificate, policy or inventory are wrong

example, without a cluster:
  gpu-sharing serve --tls-cert tls.crt --tls-key tls.key --inventory nodes.json
"""


@dataclass(frozen=True, slots=True)
class Settings:
    """How to run: paths, and addresses as HOST:PORT."""

    tls_cert: str
    tls_key: str
    bind: str
    metrics_bind: str
    policy: str | None
    inventory: str | None
    reasons_page: str
    events: str
    undecided: str


def add(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command to the parser."""
    parser = commands.add_parser(
        "serve",
        help="run the webhook",
        description="Serve /mutate, /validate, /advise, /livez, /readyz over HTTPS, and metrics.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    for flag, metavar, default, text in (
        ("--tls-cert", "FILE", None, "PEM certificate chain, leaf first"),
        ("--tls-key", "FILE", None, "its PEM private key"),
        ("--bind", "HOST:PORT", "0.0.0.0:8443", "where to serve (default %(default)s)"),
        ("--metrics-bind", "HOST:PORT", "0.0.0.0:8080", "metrics, or `off` (default %(default)s)"),
        ("--policy", "FILE", None, "a policy; else the built-in one"),
        ("--inventory", "FILE", None, "Nodes and Namespaces of a file instead of a cluster"),
        ("--reasons-page", "URL", reasons.PAGE, "what answers link to, or `off`"),
        ("--events", "on|off", "on", "events of refusals and rewrites (default %(default)s)"),
        ("--undecided", "on|off", "on", "count pods that nobody decided (default %(default)s)"),
    ):
        name = "GPU_SHARING_" + flag.strip("-").upper().replace("-", "_")
        said = os.environ.get(name)
        given = said if said or (said == "" and flag in MAY_BE_EMPTY) else default
        required = flag.startswith("--tls") and given is None
        parser.add_argument(flag, metavar=metavar, default=given, required=required, help=text)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Serve until a signal; say what is wrong before anything listens."""
    keys = Settings.__dataclass_fields__
    try:
        process = Process(_serving(Settings(**{key: getattr(args, key) for key in keys})))
    except (ValueError, BadPair, OSError) as error:
        print(f"error: {error}", file=sys.stderr)  # noqa: T201 - the command's output
        return WRONG_SETTINGS
    process.run()
    return 0


def _serving(chosen: Settings) -> Serving:
    log, metrics = audit_log.create_log(), metric.create_metrics()
    told = partial(audit_log.create_told, log, metrics)
    flags.listening("--bind", chosen.bind)
    certificate = Certificate(Path(chosen.tls_cert), Path(chosen.tls_key), told("certificate"))
    certificate.load()
    policy = _policy(chosen.policy, told("policy"))
    snapshots = Snapshots(policy.value if policy else loaders.load_policy(None))
    source = _source(chosen.inventory, snapshots, told("inventory"))
    listen = flags.listening_if_wanted("--metrics-bind", chosen.metrics_bind)
    page = flags.page("--reasons-page", chosen.reasons_page)
    wanted = background.wanted(chosen.events, chosen.undecided)
    _publish(metrics, certificate, (policy, snapshots, source))

    def start() -> WSGIApplication:
        source.start()
        observed = background.start(source.live, wanted, log, metrics)
        if listen is not None:
            start_http_server(listen[1], listen[0], registry=metrics.registry)
        sources = Sources(lambda: snapshots.policy, lambda: snapshots.inventory, source.namespace)
        app = create_app(_checks(certificate, policy, source))
        return create_reviews(sources, observed, app, page)

    def tick() -> None:
        source.tick()
        if policy is not None and policy.refresh():
            snapshots.set_policy(policy.value)

    return Serving(chosen.bind, certificate, start, tick)


def _policy(path: str | None, told: Told) -> ReloadedFile[Policy] | None:
    if path is None:
        return None
    try:
        return ReloadedFile(Path(path), loaders.parse_policy, told)
    except policy_file.PolicyError as error:
        raise InputError(f"{path}: {error}") from None


def _source(inventory: str | None, snapshots: Snapshots, told: Told) -> state_source.Source:
    if inventory is None:
        return state_source.of_cluster(snapshots, told)
    return state_source.of_file(inventory, snapshots, told)


def _checks(
    certificate: Certificate, policy: ReloadedFile[Policy] | None, source: state_source.Source
) -> Mapping[str, Check]:
    """What readiness means. A refused reload or a stale inventory is told, but serves on."""

    def served() -> Health:
        if not certificate.loaded or certificate.not_after <= time.time():
            return Health(ok=False, detail=certificate.problem or "the certificate has ended")
        return Health(ok=True, detail=_detail(certificate.problem))

    def decided() -> Health:
        return Health(ok=True, detail=_detail(policy.problem if policy else None))

    return {"certificate": served, "policy": decided, "inventory": source.health}


def _detail(problem: str | None) -> str:
    return f"ok, but the last change was refused: {problem}" if problem else "ok"


def _publish(
    metrics: Metrics,
    certificate: Certificate,
    state: tuple[ReloadedFile[Policy] | None, Snapshots, state_source.Source],
) -> None:
    policy, snapshots, source = state
    gauges = {
        "gpu_sharing_certificate_not_after_seconds": lambda: certificate.not_after,
        "gpu_sharing_inventory_age_seconds": source.age,
        "gpu_sharing_inventory_nodes": lambda: float(
            snapshots.inventory.nodes if snapshots.inventory else 0
        ),
        "gpu_sharing_policy_generation": lambda: float(policy.generation if policy else 1),
        "gpu_sharing_policy_stale": lambda: float(bool(policy and policy.problem)),
    }
    for name, read in gauges.items():
        metric.publish(metrics, name, read)
    metric.publish_offers(metrics, lambda: snapshots.inventory)
