"""`python3 deploy/sbom.py ROOT` prints what a root filesystem holds, as CycloneDX 1.6.

That are the packages of Debian, the interpreter, and every Python package. It runs in the image
itself while that is built (`Dockerfile`, target sbom), so it needs the standard library only.
"""

import json
import re
import sys
from collections.abc import Iterator
from importlib.metadata import Distribution, distributions
from pathlib import Path
from urllib.parse import quote

Component = dict[str, str]


def components(root: Path) -> list[Component]:
    """Return every component below a root once, by name."""
    found = {each["purl"]: each for each in (*_debian(root), *_python(root))}
    return sorted(found.values(), key=lambda each: each["purl"])


def _debian(root: Path) -> Iterator[Component]:
    """Yield the installed packages of dpkg's database, or of a distroless image's."""
    folder = root / "var/lib/dpkg"
    for path in (folder / "status", *sorted(folder.glob("status.d/*"))):
        if not path.is_file() or path.suffix == ".md5sums":
            continue
        for text in path.read_text(encoding="utf-8").split("\n\n"):
            fields = dict(re.findall(r"^(\S+): (.*)$", text, re.MULTILINE))
            if fields.get("Status", "install ok installed").endswith(" installed"):
                yield from _package(fields)


def _package(fields: dict[str, str]) -> Iterator[Component]:
    if {"Package", "Version"} <= fields.keys():
        name, version = fields["Package"], fields["Version"]
        arch = quote(fields.get("Architecture", "all"))
        purl = f"pkg:deb/debian/{quote(name)}@{quote(version)}?arch={arch}"
        yield {"type": "library", "name": name, "version": version, "purl": purl}


def _python(root: Path) -> Iterator[Component]:
    """Yield the packages of every site-packages, and each interpreter outside of dpkg."""
    for pattern in ("opt/**/site-packages", "usr/**/site-packages", "usr/**/dist-packages"):
        for folder in sorted(root.glob(pattern)):
            yield from map(_distribution, distributions(path=[str(folder)]))
    for header in sorted(root.glob("usr/local/include/python3*/patchlevel.h")):
        found = re.search(r'#define PY_VERSION\s+"([^"]+)"', header.read_text(encoding="utf-8"))
        if found:
            yield _component("generic", "python", found[1])


def _distribution(found: Distribution) -> Component:
    return _component("pypi", re.sub(r"[-_.]+", "-", found.name).lower(), found.version)


def _component(kind: str, name: str, version: str) -> Component:
    purl = f"pkg:{kind}/{quote(name)}@{quote(version)}"
    return {"type": "library", "name": name, "version": version, "purl": purl}


def main() -> None:
    """Print the bill of materials; fails where no Debian package or no Python package is found."""
    found = components(Path(sys.argv[1]))
    for kind in ("deb", "pypi"):
        if not any(each["purl"].startswith(f"pkg:{kind}/") for each in found):
            sys.exit(f"{sys.argv[1]}: no {kind} package found; expected the root of the image")
    whole = {"bomFormat": "CycloneDX", "specVersion": "1.6", "version": 1, "components": found}
    json.dump(whole, sys.stdout, indent=1)


if __name__ == "__main__":
    main()
