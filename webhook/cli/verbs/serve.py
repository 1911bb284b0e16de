"""`gpu-sharing serve`: joins files or cluster, the decision, its log and the process."""

import argparse
import asyncio
import os
import sys
import time
from collections.abc import Mapping
from contextlib import nullcontext
from functools import partial
from pathlib import Path
from typing import Final

from msgspec import Struct
from prometheus_client import start_http_server

from webhook.cli import background, state_source
from webhook.cli.help_page import HelpPage
from webhook.cli.served_policy import ServedPolicy, create_judge, open_policy, publish_policy
from webhook.cli.state_source import Job, StateSource
from webhook.cli.verbs import SUMMARIES
from webhook.core.api.reason import COMMAND
from webhook.process.flags import (
    WRONG_SETTINGS,
    Address,
    Flag,
    SettingsError,
    add_flags,
    or_off,
    read_address,
    read_flags,
    read_page,
    read_switch,
)
from webhook.process.listen import refuse_taken
from webhook.process.log import create_logs
from webhook.process.version import version
from webhook.server import audit_log
from webhook.server import metrics as metric
from webhook.server.admission.app import AdmissionApp, create_handler
from webhook.server.http.worker import Application
from webhook.server.metrics import Metrics
from webhook.server.probes import Check, Health, create_probes
from webhook.server.process import Process, Serving
from webhook.server.reload import Logger
from webhook.server.state import ServerState
from webhook.server.tls import BadPair, ServingCertificate

EPILOG = """\
Every flag is also an environment variable: GPU_SHARING_TLS_CERT, GPU_SHARING_BIND and so on.
Files are read again when they change; a bad one is refused, told and the last good one kept.
A policy that is wrong at the start is told too: the last good one decides, or the built-in one.

exit codes: 0 stopped by a signal, 2 settings, certificate or inventory are wrong

example, without a cluster:
  gpu-sharing serve --tls-cert tls.crt --tls-key tls.key --inventory nodes.json
"""


def _read_page(text: str) -> str:
    return text if text == COMMAND else read_page(text)


FLAGS: Final = (
    Flag("--tls-cert", "FILE", "PEM certificate chain, leaf first", required=True),
    Flag("--tls-key", "FILE", "its PEM private key", required=True),
    Flag("--bind", "HOST:PORT", "where to serve", ":8443", read_address),
    Flag("--metrics-bind", "HOST:PORT", "metrics, or off", ":8080", or_off(read_address)),
    Flag("--client-ca", "FILE", "PEM certificates of who signs those of API servers"),
    Flag(
        "--client-name",
        "NAME",
        "in the certificates of API servers, which alone may ask",
        many=True,
    ),
    Flag("--policy", "FILE", "a policy; else the built-in one"),
    Flag("--last-policy", "FILE", "where to keep the last good policy, for a restart"),
    Flag("--inventory", "FILE", "Nodes and Namespaces of a file instead of a cluster"),
    Flag(
        *("--reasons-page", "URL", "what explains reasons in answers, or off", COMMAND, _read_page),
        may_be_empty=True,  # which means none, not the default
    ),
    Flag("--kubeconfig", "FILE", "a cluster other than the one we run in"),
    Flag("--context", "NAME", "of the kubeconfig"),
    Flag("--events", "on|off", "events of refusals and rewrites", "on", read_switch),
    Flag("--unreviewed", "on|off", "count GPU pods that were never reviewed", "on", read_switch),
)


class Settings(Struct, frozen=True):
    """How to run.

    Paths are of files.
    """

    tls_cert: str
    tls_key: str
    bind: Address
    metrics_bind: Address | None
    client_ca: str | None
    client_name: tuple[str, ...]
    policy: str | None
    last_policy: str | None
    inventory: str | None
    kubeconfig: str | None
    context: str | None
    reasons_page: str
    events: bool
    unreviewed: bool


def add_parser(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command to the parser."""
    parser = commands.add_parser(
        "serve",
        help=SUMMARIES["serve"],
        description="Serve /mutate, /validate, /advise, /livez, /readyz over HTTPS, and metrics.",
        epilog=EPILOG,
        formatter_class=HelpPage,
    )
    add_flags(parser, FLAGS, "GPU_SHARING_", os.environ)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Serve until a signal.

    Say what is wrong before anything listens.
    """
    try:
        chosen = Settings(**read_flags(FLAGS, args))
        process = Process(_serving(chosen))
        refuse_taken({"--bind": chosen.bind, "--metrics-bind": chosen.metrics_bind})
    except (ValueError, BadPair, OSError) as error:
        text = f"{error.filename}: {error.strerror}" if isinstance(error, OSError) else error
        print(f"error: {text}", file=sys.stderr)  # noqa: T201 - the command's output
        return WRONG_SETTINGS
    process.run()
    return 0


def _serving(chosen: Settings) -> Serving:
    logs, metrics = create_logs(), metric.create_metrics()
    logs.process.info("starting", version=version())
    logger = partial(audit_log.create_logger, logs.process, metrics)
    certificate = _certificate(chosen, logger("certificate"))
    certificate.load()
    policy = open_policy(chosen.policy, chosen.last_policy, logger("policy"))
    state = ServerState(policy.start)
    source = _source(chosen, state, logger("inventory"))
    listen = chosen.metrics_bind
    switches = background.Switches(chosen.events, chosen.unreviewed)
    parts = _Parts(certificate, policy, state, source)
    _publish(metrics, parts)

    def start() -> Application:
        beside = background.create_background(source.live, switches, logs, metrics)
        if listen is not None:
            start_http_server(listen.port, listen.host, registry=metrics.registry)
        app = AdmissionApp(
            state=state,
            namespaces=source.namespaces,
            observer=beside.observer,
            judge=create_judge(logger("policy")),
            fallback=create_probes(_checks(parts)),
            page=chosen.reasons_page,
            by_mode=source.live is not None,
            callers=frozenset(chosen.client_name),
        )
        return Application(create_handler(app), partial(_run_all, parts, beside.jobs))

    return Serving(str(chosen.bind), certificate, start)


def _certificate(chosen: Settings, log: Logger) -> ServingCertificate:
    if bool(chosen.client_ca) is not bool(chosen.client_name):
        raise SettingsError("--client-ca and --client-name: expected both, or neither")
    client_ca = Path(chosen.client_ca) if chosen.client_ca else None
    return ServingCertificate(Path(chosen.tls_cert), Path(chosen.tls_key), log, client_ca)


class _Parts(Struct, frozen=True):
    """What readiness and metrics look at."""

    certificate: ServingCertificate
    policy: ServedPolicy
    state: ServerState
    source: StateSource


async def _run_all(parts: _Parts, jobs: tuple[Job, ...]) -> None:
    """Keep the state up to date and run the jobs, until cancelled."""
    live = parts.source.live
    async with live.client if live else nullcontext(), asyncio.TaskGroup() as tasks:
        for job in (parts.source.follow, *jobs):
            tasks.create_task(job())
        if parts.policy.file is not None:
            tasks.create_task(parts.policy.file.follow(parts.state.set_policy))


def _source(chosen: Settings, state: ServerState, log: Logger) -> StateSource:
    if chosen.inventory is None:
        return state_source.open_cluster(state, log, chosen.kubeconfig, chosen.context)
    return state_source.open_file(chosen.inventory, state, log)


def _checks(parts: _Parts) -> Mapping[str, Check]:
    """What readiness means. A refused reload or a stale inventory is named, but serves on."""
    certificate = parts.certificate

    def check_certificate() -> Health:
        if not certificate.loaded or certificate.not_after <= time.time():
            return Health(ok=False, detail=certificate.problem or "the certificate has expired")
        problem = certificate.problem
        text = f"ok, but the last change was refused: {problem}" if problem else "ok"
        return Health(ok=True, detail=text)

    checks = {"certificate": check_certificate, "policy": parts.policy.check}
    return {**checks, **parts.source.checks}


def _publish(metrics: Metrics, parts: _Parts) -> None:
    state = parts.state
    gauges = {
        "gpu_sharing_certificate_not_after_seconds": lambda: parts.certificate.not_after,
        "gpu_sharing_inventory_age_seconds": parts.source.age,
        "gpu_sharing_inventory_nodes": lambda: float(
            state.inventory.nodes if state.inventory else 0
        ),
    }
    for name, read in gauges.items():
        metric.publish(metrics, name, read)
    publish_policy(metrics, parts.policy)
    metric.publish_build_info(metrics, version())
    metric.publish_offers(metrics, lambda: state.inventory)
    metric.publish_unusable(metrics, lambda: state.inventory)
