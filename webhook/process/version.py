"""The version of what runs, as it was installed."""

from importlib import metadata


def version() -> str:
    """Return the version of the installed package, or that there is none."""
    try:
        return metadata.version("gpu-sharing")
    except metadata.PackageNotFoundError:
        return "unknown"
