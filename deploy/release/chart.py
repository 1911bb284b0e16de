"""The chart as the archive that Helm reads; the same bytes from the same files."""

import gzip
import io
import tarfile
from pathlib import Path

import yaml


def chart_archive(chart: Path, timestamp: int) -> tuple[str, bytes]:
    """Return the name and the bytes of a chart's archive (Helm: `NAME-VERSION.tgz`, one folder).

    `timestamp` is in seconds since 1970, and is that of every file in it.
    """
    about = yaml.safe_load((chart / "Chart.yaml").read_text())
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w", format=tarfile.PAX_FORMAT) as archive:
        for path in sorted(each for each in chart.rglob("*") if each.is_file()):
            entry = tarfile.TarInfo(f"{about['name']}/{path.relative_to(chart)}")
            content = path.read_bytes()
            entry.size, entry.mtime, entry.mode = len(content), timestamp, 0o644
            archive.addfile(entry, io.BytesIO(content))
    name = f"{about['name']}-{about['version']}.tgz"
    return name, gzip.compress(packed.getvalue(), mtime=timestamp)
