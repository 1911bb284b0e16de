"""How to run the keeper: flags and environment into one frozen value; starts nothing."""

import argparse
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from certs import names, pki
from certs.flip import Probing
from certs.keeper import Place
from certs.rotation import Rules

ENVIRONMENT: Final = "GPU_SHARING_CERTS_"
OFF: Final = "off"
EPILOG: Final = """\
every flag is also an environment variable: GPU_SHARING_CERTS_NAMESPACE, ..._SERVICE and so on;
a name given as `off` is left out.

exit codes: 0 stopped by a signal, or --once and all in place; 1 --once and something is not;
2 settings or cluster access are wrong
"""

# Flag, metavar, default (None: required), help.
FLAGS: Final = (
    ("--namespace", "NAME", None, "namespace of the Service and both Secrets"),
    ("--service", "NAME", "gpu-sharing", "the Service of the webhook"),
    ("--serving-secret", "NAME", "gpu-sharing-tls", "the Secret that the server mounts"),
    ("--authority-secret", "NAME", "gpu-sharing-authority", "the Secret of the CA, ours alone"),
    ("--mutating", "NAME", "gpu-sharing", "MutatingWebhookConfiguration, or off"),
    ("--validating", "NAME", "gpu-sharing", "ValidatingWebhookConfiguration, or off"),
    ("--probe-namespace", "NAME", OFF, "where pods that must be refused are tried, or off"),
    ("--probe-again", "SECONDS", OFF, "probe again this often after the flip, and only tell"),
    ("--interval", "SECONDS", "10", "from one look at the cluster to the next"),
    ("--spread", "SECONDS", "300", "from every caBundle in place until a new CA signs"),
    ("--settle", "SECONDS", "600", "from the Secret in place until every replica serves it"),
    ("--bind", "HOST:PORT", "0.0.0.0:8080", "/metrics and /healthz, or off"),
    ("--kubeconfig", "FILE", OFF, "a cluster other than the one we run in"),
    ("--log-level", "LEVEL", "info", "debug adds a line for each look that changed nothing"),
)
LEVELS: Final = ("debug", "info", "warning", "error")


class SettingsError(Exception):
    """A setting is wrong; the message names the flag and what is expected."""


@dataclass(frozen=True, slots=True)
class Settings:
    """How to run. `bind` is (host, port), or None for no port at all."""

    place: Place
    rules: Rules
    probing: Probing
    interval: timedelta
    bind: tuple[str, int] | None
    kubeconfig: str | None
    log_level: str
    once: bool


def parse(arguments: Sequence[str], environment: Mapping[str, str]) -> Settings:
    """Read the settings; a flag wins over the environment.

    Raises:
        SettingsError: a value is wrong. A wrong flag, or --help, ends the process by argparse.
    """
    found = vars(_parser(environment).parse_args(arguments))
    once = found.pop("once")
    text = {f"--{key.replace('_', '-')}": value for key, value in found.items()}
    place = _place(text)
    return Settings(
        place=place,
        rules=Rules(
            names=pki.service_names(place.service, place.namespace),
            spread=_seconds(text, "--spread"),
            settle=_seconds(text, "--settle"),
        ),
        probing=Probing(
            _optional(text["--probe-namespace"]),
            None if text["--probe-again"] == OFF else _seconds(text, "--probe-again"),
        ),
        interval=_seconds(text, "--interval"),
        bind=_address(text["--bind"]),
        kubeconfig=_optional(text["--kubeconfig"]),
        log_level=_level(text["--log-level"]),
        once=once,
    )


def _parser(environment: Mapping[str, str]) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m certs",
        description="Keep the webhook's certificates, caBundles and failurePolicy.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    for flag, metavar, default, text in FLAGS:
        variable = ENVIRONMENT + flag.strip("-").upper().replace("-", "_")
        given = environment.get(variable) or default
        shown = f"{text} (default {default})" if default else text
        required = given is None
        parser.add_argument(flag, metavar=metavar, default=given, required=required, help=shown)
    parser.add_argument("--once", action="store_true", help="look once and exit")
    return parser


def _place(text: Mapping[str, str]) -> Place:
    kinds = (("--mutating", names.MUTATING), ("--validating", names.VALIDATING))
    return Place(
        namespace=text["--namespace"],
        service=text["--service"],
        serving=text["--serving-secret"],
        authority=text["--authority-secret"],
        configurations=tuple(f"{path}/{text[flag]}" for flag, path in kinds if text[flag] != OFF),
    )


def _optional(text: str) -> str | None:
    return None if text == OFF else text


def _seconds(text: Mapping[str, str], flag: str) -> timedelta:
    try:
        seconds = float(text[flag])
    except ValueError:
        seconds = 0
    if not 0 < seconds < float("inf"):
        raise SettingsError(f"{flag} {text[flag]!r}: expected a number of seconds above 0")
    return timedelta(seconds=seconds)


def _address(text: str) -> tuple[str, int] | None:
    if text == OFF:
        return None
    host, _, port = text.rpartition(":")
    if not port.isdigit():
        raise SettingsError(f"--bind {text!r}: expected HOST:PORT or off")
    return host.strip("[]") or "0.0.0.0", int(port)  # noqa: S104 - what an empty host means


def _level(text: str) -> str:
    if text not in LEVELS:
        raise SettingsError(f"--log-level {text!r}: expected one of {', '.join(LEVELS)}")
    return text
