"""How to run: flags and environment as one frozen value."""

import argparse
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

from certs import names, pki
from certs.failure_policy import Probing
from certs.reconciler import ManagedObjects
from certs.rotation import RotationRules
from certs.webhook_configuration import ServiceName
from webhook.process.flags import (
    OFF,
    Address,
    Flag,
    add_flags,
    one_of,
    or_off,
    read_address,
    read_flags,
    read_seconds,
)
from webhook.process.log import LEVELS

ENVIRONMENT: Final = "GPU_SHARING_CERTS_"
EPILOG: Final = """\
`python -m certs pair` writes certificates for a webhook that is run by hand.

every flag is also an environment variable: GPU_SHARING_CERTS_NAMESPACE,
..._SERVICE and so on; a name given as `off` is left out.

exit codes: 0 stopped by a signal, or --once and all in place; 1 --once and
something is not; 2 settings or cluster access are wrong
"""
_NAME: Final = or_off(str)

FLAGS: Final = (
    Flag("--namespace", "NAME", "namespace of the Service and both Secrets", required=True),
    Flag("--service", "NAME", "the Service of the webhook", "gpu-sharing"),
    Flag("--serving-secret", "NAME", "the Secret that the server mounts", "gpu-sharing-tls"),
    Flag("--authority-secret", "NAME", "the Secret of the CA, ours alone", "gpu-sharing-authority"),
    Flag("--mutating", "NAME", "MutatingWebhookConfiguration, or off", "gpu-sharing", _NAME),
    Flag("--validating", "NAME", "ValidatingWebhookConfiguration, or off", "gpu-sharing", _NAME),
    Flag("--probe-namespace", "NAME", "where refusals are tried, or off", OFF, _NAME),
    Flag(
        *("--probe-again", "SECONDS", "try and report this often once Fail is set, or off", OFF),
        or_off(read_seconds),
    ),
    Flag("--interval", "SECONDS", "from one reconciliation to the next", "10", read_seconds),
    Flag(
        *("--spread", "SECONDS", "from every caBundle in place until a new CA signs", "300"),
        read_seconds,
    ),
    Flag(
        *("--settle", "SECONDS", "from the Secret in place until every replica serves it", "600"),
        read_seconds,
    ),
    Flag("--bind", "HOST:PORT", "/metrics, /healthz, or off", ":8080", or_off(read_address)),
    Flag("--kubeconfig", "FILE", "a cluster other than the one we run in", OFF, _NAME),
    Flag(
        *("--log-level", "LEVEL", "debug adds a line for each steady reconciliation", "info"),
        one_of(LEVELS),
    ),
)


@dataclass(frozen=True, slots=True)
class CertSettings:
    """How to run. Without `bind` nothing listens."""

    objects: ManagedObjects
    rules: RotationRules
    probing: Probing
    interval: timedelta
    bind: Address | None
    kubeconfig: str | None
    log_level: str
    once: bool


def parse_settings(arguments: Sequence[str], environment: Mapping[str, str]) -> CertSettings:
    """Return the settings.

    A flag wins over the environment.

    Raises:
        SettingsError: a value is wrong. A wrong flag, or --help, ends the process by argparse.
    """
    parser = argparse.ArgumentParser(
        prog="python -m certs",
        description="Keep the webhook's certificates, caBundles and failurePolicy.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add_flags(parser, FLAGS, ENVIRONMENT, environment)
    parser.add_argument("--once", action="store_true", help="reconcile once and exit")
    parsed = parser.parse_args(arguments)
    values = read_flags(FLAGS, parsed)
    service = ServiceName(values["namespace"], values["service"])
    return CertSettings(
        objects=_objects(service, values),
        rules=RotationRules(
            names=pki.service_names(service.name, service.namespace),
            spread=values["spread"],
            settle=values["settle"],
        ),
        probing=Probing(values["probe_namespace"], values["probe_again"]),
        interval=values["interval"],
        bind=values["bind"],
        kubeconfig=values["kubeconfig"],
        log_level=values["log_level"],
        once=parsed.once,
    )


def _objects(service: ServiceName, values: Mapping[str, Any]) -> ManagedObjects:
    kinds = {"mutating": names.MUTATING, "validating": names.VALIDATING}
    named = {path: values[key] for key, path in kinds.items() if values[key] is not None}
    return ManagedObjects(
        service=service,
        serving=values["serving_secret"],
        authority=values["authority_secret"],
        configurations=tuple(f"{path}/{name}" for path, name in named.items()),
    )
