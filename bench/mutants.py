"""Which seeded faults the property tests find at their number of examples: `-m bench.mutants`.

Each fault is one line, put into a copy of the tree; the property that is about it must then fail.
"""

import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[1]
ANY_POD = "tests/core/test_properties.py::test_what_holds_of_any_pod"
SELECT = "tests/core/test_select.py::test_the_best_of_all_groups_is_selected"
MEMO = "tests/core/test_memo.py::test_a_kept_answer_is_that_of_a_fresh_decision_for_any_pod"
GUARDS = "tests/core/test_guards_search.py::test_a_tenants_pod_is_refused"
OTHERS = "tests/core/test_guards_search.py::test_without_a_tenant_every_way_is_refused_or_told"
CEL = "tests/cel/test_differential.py::test_"
PLACEMENT = "tests/core/test_placement.py::test_distinct_nodes_are_reached_as_all_nodes_are"
FORMS = "tests/core/test_strategies.py::test_a_node_that_offers_a_device_shows_no_other_strategy"
PLAN = "tests/core/test_plan.py::test_the_plan_is_what_trying_everything_finds"
GREEDY = "tests/core/test_plan.py::test_without_a_solver_the_plan_is_sound_and_says_its_distance"
GRACE = "tests/kube/test_grace.py::test_"
CERTS = "tests/certs/test_certs_simulation.py::test_what_is_served_always_verifies"
REVIEWS = "tests/server/test_reviews_any.py::test_any_review_is_answered"
DECISION, CHECKS, PATCH = "webhook/core/decision/", "webhook/core/checks/", "webhook/core/patch/"
GPU, POOLS = "webhook/core/gpu/", "webhook/core/pools/"


@dataclass(frozen=True, slots=True)
class Fault:
    """Text of a file and what stands there instead; the property that must notice."""

    property: str
    file: str
    right: str
    wrong: str


FAULTS = (
    Fault(ANY_POD, DECISION + "select.py", "if group.tenant is not None and", "if False and"),
    Fault(ANY_POD, DECISION + "select.py", "own or not constraints.isolated or", "True or"),
    Fault(ANY_POD, PATCH + "affinity.py", "in enumerate(terms):", "in enumerate(terms[:1]):"),
    Fault(
        ANY_POD,
        PATCH + "affinity.py",
        " for each in requirements if not _has(term, each)]",
        " for each in requirements]",
    ),
    Fault(ANY_POD, PATCH + "render.py", "if not tolerates(present or (), t)}", "}"),
    Fault(ANY_POD, PATCH + "render.py", "if present.get(name) != value:", "if True:"),
    Fault(SELECT, DECISION + "select.py", "None and each.ideal > best[0]:", "None:"),
    Fault(SELECT, DECISION + "select.py", "found < best:", "found > best:"),
    Fault(MEMO, "webhook/core/canonical.py", "key.startswith(names.PREFIX) or ", ""),
    Fault(PLACEMENT, GPU + "reach.py", 'if each.operator == "In"', "if each"),
    Fault(
        FORMS,
        GPU + "dialects/gfd/__init__.py",
        'Form(strategy, _SLICE, (_slice_is("none"),)',
        "Form(strategy, _SLICE, ()",
    ),
    Fault(GUARDS, CHECKS + "capabilities.py", "known not in _BASELINE and", "False and"),
    Fault(GUARDS, CHECKS + "tolerations.py", "if not each.key:", "if each.key is None:"),
    Fault(OTHERS, CHECKS + "host_path.py", "paths.goes_back(path) or ", ""),
    Fault(CEL, CHECKS + "env_from.py", "or prefix.startswith(ours) for", "for"),
    Fault(CEL, CHECKS + "tolerations.py", 'in (None, "", "Equal") and', 'in (None, "Equal") and'),
    Fault(CEL, CHECKS + "capabilities.py", "if name.isascii() else", "if True else"),
    Fault(GREEDY, POOLS + "greedy.py", "< stock.replicas.mps", "<= stock.replicas.mps"),
    Fault(PLAN, POOLS + "exact.py", "max(1.0, abs(reached))", "max(9e9, abs(reached))"),
    Fault(
        GRACE, "webhook/kube/label_grace.py", "if before.lost_at is not None else", "if False else"
    ),
    Fault(CERTS, "certs/reconciler.py", "if not may_serve:", "if False:"),
    Fault(
        REVIEWS,
        GPU + "placement.py",
        "if not _INTEGER.fullmatch(value) or not _INTEGER.fullmatch(listed[0]):",
        "if not _INTEGER.fullmatch(value):",
    ),
)


def main(chosen: str) -> int:
    """Print what was found; return how many faults were missed."""
    missed = 0
    with tempfile.TemporaryDirectory() as folder:
        tree = Path(folder) / "tree"
        shutil.copytree(ROOT, tree, ignore=shutil.ignore_patterns(".venv", ".git", "build"))
        _shrink_nothing(tree / "tests/conftest.py")
        for fault in FAULTS:
            if chosen in fault.property:
                found = _is_found(tree, fault)
                missed += not found
                line = ("found " if found else "MISSED", fault.property, fault.file, fault.right)
                print(*line, sep="  ", flush=True)  # noqa: T201 - what was asked for
    return missed


def _shrink_nothing(path: Path) -> None:
    """Stop at the first example that fails; to find the smallest takes minutes.

    And begin with a table that changed: the property is to notice it.
    """
    text = path.read_text(encoding="utf-8")
    phases = "phases=[Phase.explicit, Phase.generate], derandomize=True"
    text = text.replace("derandomize=True", phases).replace("def pytest_sessionstart", "def _")
    path.write_text(text.replace("import settings", "import Phase, settings"), encoding="utf-8")


def _is_found(tree: Path, fault: Fault) -> bool:
    path = tree / fault.file
    text = path.read_text(encoding="utf-8")
    assert text.count(fault.right) == 1, fault
    path.write_text(text.replace(fault.right, fault.wrong), encoding="utf-8")
    file, _, name = fault.property.partition("::")
    words = ("-m", "pytest", "-xq", "-p", "no:cacheprovider", file, "-k", name)
    done = subprocess.run([sys.executable, *words], cwd=tree, check=False, capture_output=True)
    path.write_text(text, encoding="utf-8")
    assert done.returncode in (0, 1), done.stdout.decode()
    return done.returncode == 1


if __name__ == "__main__":
    sys.exit(main("".join(sys.argv[1:])))
