"""What follows from the tables is as `make generate` writes it."""

from deploy.generate.__main__ import stale_files


def test_no_generated_file_is_stale() -> None:
    assert [str(path) for path, _ in stale_files()] == []
