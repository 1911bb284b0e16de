"""The seeded faults of `bench.mutants` can be put into the code as it stands."""

import pytest

from bench.mutants import FAULTS, ROOT, Fault


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: f"{fault.file}: {fault.right}")
def test_a_fault_has_one_place(fault: Fault) -> None:
    assert (ROOT / fault.file).read_text(encoding="utf-8").count(fault.right) == 1
    assert (ROOT / fault.property.partition("::")[0]).is_file()
