"""Need and recommendation on made measurements; one table of cases for each rule."""

from dataclasses import replace

import pytest

from webhook.cli.pool_data import load_catalog
from webhook.core.api.mig import parse_profile
from webhook.core.api.workload import Workload
from webhook.core.gpu.strategies import Strategy
from webhook.core.pools.catalog import GpuModel, find_model
from webhook.core.rightsizing.join import Evidence, Owner, collect_evidence, match_owners
from webhook.core.rightsizing.need import measure_need
from webhook.core.rightsizing.recommend import recommend
from webhook.core.rightsizing.recommendation import (
    Case,
    Confidence,
    Recommendation,
    RecommendedAction,
)
from webhook.core.rightsizing.reservation import find_reservation
from webhook.core.rightsizing.values import (
    Device,
    DeviceKey,
    DeviceUse,
    PodName,
    Reservation,
    ReservingServer,
    TemplateRequest,
    with_use,
)
from webhook.core.rightsizing.waste import add_waste

A100 = find_model(load_catalog(), "NVIDIA-A100-SXM4-80GB", 81920)
T4 = find_model(load_catalog(), "Tesla-T4")
WEEK = DeviceUse(
    points=2016, hours=168, active_p95=0.1, active_mean=0.05, active_max=0.4,
    memory_max=6000, memory_low=5000,
)  # fmt: skip
SERVE = TemplateRequest(
    namespace="shop", kind="Deployment", name="web", workload=Workload.INFERENCE, tenant=None,
    pods=1, gpus=1, held=1.0, strategy=Strategy.EXCLUSIVE,
)  # fmt: skip
POD = PodName("shop", "web-0")


def device(use: DeviceUse, model: GpuModel = A100, profile: str = "", **more: object) -> Device:
    key = DeviceKey("n1", "GPU-1", "7" if profile else "")
    cut = parse_profile(profile) if profile else None
    whole = Device(key, model.product, cut, model.memory, use, {POD: use})
    return replace(whole, **more)  # type: ignore[arg-type]


def said(
    template: TemplateRequest = SERVE,
    use: DeviceUse = WEEK,
    model: GpuModel = A100,
    profile: str = "",
) -> Recommendation:
    one = device(use, model, profile)
    evidence = Evidence(own=((one, use),))
    return recommend(Case(template, measure_need(template, evidence, model), model))


def test_inference_gets_the_smallest_slice_that_has_its_peak_and_a_fifth() -> None:
    found = said()
    assert (found.action, found.strategy) == (RecommendedAction.CHANGE, Strategy.MIG)
    assert (str(found.profile and found.profile.name), found.memory) == ("1g.10gb", 7200)
    assert found.gpus == pytest.approx(1 / 7)
    assert found.confidence is Confidence.HIGH


@pytest.mark.parametrize(
    ("peak", "p95", "profile"),
    [
        (7000, 0.1, "1g.10gb"),  # 8400 of about 8700 MiB
        (8000, 0.1, "1g.20gb"),  # 9600 do not fit: memory alone needs no second slice
        (8000, 0.15, "2g.20gb"),  # 0.18 of the GPU is more than one slice of seven
        (17000, 0.1, "3g.40gb"),
        (6000, 0.4, "4g.40gb"),  # 0.48 is more than three slices
    ],
)
def test_both_memory_and_compute_count(peak: float, p95: float, profile: str) -> None:
    found = said(use=replace(WEEK, memory_max=peak, active_p95=p95))
    assert found.profile is not None
    assert found.profile.name == profile


def test_on_a_slice_the_activity_is_of_the_slice() -> None:
    """60 % of a 3g are 0.26 of the GPU, and a fifth more: three slices; 10 % are one slice."""
    on_3g = replace(SERVE, held=0.5, strategy=Strategy.MIG)
    busy = said(on_3g, replace(WEEK, active_p95=0.6, memory_max=20000), profile="3g.40gb")
    assert busy.action is RecommendedAction.KEEP
    assert busy.reason.startswith("it has what it needs")
    quiet = said(on_3g, replace(WEEK, memory_max=6000), profile="3g.40gb")
    assert quiet.profile is not None
    assert (quiet.action, quiet.profile.name) == (RecommendedAction.CHANGE, "1g.10gb")


def test_a_slice_that_is_full_becomes_a_larger_one() -> None:
    on_1g = replace(SERVE, held=1 / 7, strategy=Strategy.MIG)
    found = said(on_1g, replace(WEEK, memory_max=9500), profile="1g.10gb")
    assert found.profile is not None
    assert (found.action, found.profile.name) == (RecommendedAction.CHANGE, "1g.20gb")


@pytest.mark.parametrize(
    ("template", "use", "action", "words"),
    [
        (replace(SERVE, workload=Workload.TRAINING), WEEK, RecommendedAction.KEEP, "never shares"),
        (SERVE, replace(WEEK, hours=23), RecommendedAction.WAIT, "23 hours and 2016 points"),
        (SERVE, replace(WEEK, points=99), RecommendedAction.WAIT, "100 points"),
        (
            SERVE,
            replace(WEEK, active_max=0.04, active_p95=0.01),
            RecommendedAction.RELEASE,
            "never 5 %",
        ),
        (
            replace(SERVE, workload=Workload.UNCLASSIFIED),
            WEEK,
            RecommendedAction.LABEL,
            "what it is for",
        ),
        (replace(SERVE, gpus=4, held=4.0), WEEK, RecommendedAction.KEEP, "requests 4 GPUs"),
        (
            SERVE,
            replace(WEEK, memory_max=None, memory_low=None),
            RecommendedAction.SIZE,
            "not measured",
        ),
        (SERVE, replace(WEEK, active_p95=0.9), RecommendedAction.KEEP, "nothing smaller"),
    ],
)
def test_what_comes_before_sizes(
    template: TemplateRequest, use: DeviceUse, action: RecommendedAction, words: str
) -> None:
    one = device(use)
    found = recommend(Case(template, measure_need(template, Evidence(((one, use),)), A100), A100))
    assert found.action is action
    assert words in found.reason


def test_a_server_that_reserves_is_never_sized_by_its_memory() -> None:
    """Without this rule whole GPUs would be recommended to exactly those who waste most."""
    full = replace(WEEK, memory_max=72000, memory_low=71900)
    told = replace(SERVE, reservation=Reservation(ReservingServer.VLLM, "vLLM's default"))
    found = said(told, full)
    assert (found.action, found.memory) == (RecommendedAction.SIZE, None)
    assert "72000 MiB is a reservation (vLLM, vLLM's default)" in found.reason
    unknown = said(SERVE, full)
    assert (unknown.action, unknown.profile) == (RecommendedAction.SIZE, None)
    assert "unknown program" in unknown.reason


def test_a_server_that_reserves_is_sized_by_its_model_and_cache_or_by_what_was_written() -> None:
    full = replace(WEEK, memory_max=72000, memory_low=71900)
    told = replace(SERVE, reservation=Reservation(ReservingServer.VLLM, "vLLM's default"))
    known = said(replace(told, weights=16000, kv_cache=0.25), full)
    assert known.memory == round((16000 + 56000 * 0.25) * 1.2)
    assert known.confidence is Confidence.MEDIUM
    model = said(replace(told, weights=18434), full)
    assert (model.memory, model.confidence) == (18434, Confidence.LOW)
    assert "18434 MiB estimated from the model that it serves" in model.reason
    assert said(replace(told, weights=73000), full).action is RecommendedAction.SIZE
    written = said(replace(told, written_memory=15000), full)
    assert written.profile is not None
    assert (written.profile.name, written.memory) == ("1g.20gb", 15000)


def test_never_below_what_a_person_wrote() -> None:
    assert said(replace(SERVE, written_memory=30000)).memory == 30000
    floor = said(replace(SERVE, written_profile=parse_profile("3g.40gb")))
    assert floor.profile is not None
    assert floor.profile.name == "3g.40gb"


def test_gpus_without_mig_are_shared_by_mps_and_dev_by_time_slicing() -> None:
    small = replace(WEEK, memory_max=1000, active_p95=0.05)
    assert said(use=small, model=T4).strategy is Strategy.MPS
    assert "nothing smaller" in said(use=WEEK, model=T4).reason  # 7200 of 1536 MiB
    dev = replace(SERVE, workload=Workload.DEV)
    assert said(dev, WEEK, T4).strategy is Strategy.TIME_SLICING
    tenant = replace(SERVE, tenant="acme", workload=Workload.TENANT)
    assert said(tenant, small, T4).action is RecommendedAction.KEEP


def test_zeros_of_a_pod_beside_a_busy_device_mean_unknown() -> None:
    zeros = replace(WEEK, active_p95=0, active_mean=0, active_max=0, memory_max=0, memory_low=0)
    one = device(WEEK, pods={POD: zeros})
    need = measure_need(SERVE, Evidence(((one, zeros),)), A100)
    assert (need.memory, need.idle) == (7200, False)


def test_pods_that_are_gone_belong_to_whoever_made_them() -> None:
    owners = [
        Owner("shop", "Deployment", "web"),
        Owner("shop", "StatefulSet", "web-api"),
        Owner("shop", "CronJob", "nightly"),
        Owner("shop", "PyTorchJob", "llama"),
        Owner("lab", "Deployment", "web"),
    ]
    names = {
        "web-5d9c7bff9-x2x4z": "web",
        "web-api-0": "web-api",
        "nightly-28912345-bcdfg": "nightly",
        "llama-worker-0": "llama",
        "website-5d9c7bff9-x2x4z": None,
        "other-0": None,
    }
    pods = [PodName("shop", name) for name in names]
    found = match_owners(pods, {}, owners)
    wanted = {PodName("shop", pod): owner for pod, owner in names.items() if owner}
    assert {pod: owner.name for pod, owner in found.items()} == wanted
    live = {PodName("shop", "other-0"): owners[0]}
    assert match_owners(pods, live, owners)[PodName("shop", "other-0")] == owners[0]


def test_pods_one_after_another_have_a_device_each_to_itself_and_pods_together_share_it() -> None:
    web = Owner("shop", "Deployment", "web")
    first, second = PodName("shop", "web-a"), PodName("shop", "web-b")
    owners = {first: web, second: web}
    half, all_week = replace(WEEK, points=1000), WEEK
    after = device(WEEK, pods={first: half, second: half})
    at_once = device(WEEK, pods={first: all_week, second: all_week})
    assert len(collect_evidence([after], owners, frozenset())[web].own) == 2
    assert collect_evidence([at_once], owners, frozenset())[web].shared == (at_once,)
    assert collect_evidence([after], owners, frozenset({("n1", None)}))[web].shared == (after,)
    slices = frozenset({("n1", parse_profile("1g.10gb")), ("n2", None)})
    assert len(collect_evidence([after], owners, slices)[web].own) == 2


@pytest.mark.parametrize(
    ("container", "expected"),
    [
        ({"image": "vllm/vllm-openai:v0.9"}, "vLLM's default"),
        ({"image": "x", "command": ["vllm", "serve"], "args": ["--gpu-memory-utilization=0.4"]},
         "--gpu-memory-utilization 0.4"),
        ({"image": "x", "args": ["vllm serve m --gpu-memory-utilization 0.5"]},
         "--gpu-memory-utilization 0.5"),
        ({"image": "lmsysorg/sglang", "args": ["--mem-fraction-static", "0.7"]},
         "--mem-fraction-static 0.7"),
        ({"image": "tensorflow/serving:latest-gpu"}, "TensorFlow's default"),
        ({"image": "tensorflow/tensorflow",
          "env": [{"name": "TF_FORCE_GPU_ALLOW_GROWTH", "value": "true"}]}, None),
        ({"image": "ghcr.io/nvidia/jax:latest",
          "env": [{"name": "XLA_PYTHON_CLIENT_MEM_FRACTION", "value": ".3"}]},
         "XLA_PYTHON_CLIENT_MEM_FRACTION .3"),
        ({"image": "ghcr.io/nvidia/jax:latest",
          "env": [{"name": "XLA_PYTHON_CLIENT_PREALLOCATE", "value": "false"}]}, None),
        ({"image": "nvcr.io/nvidia/tritonserver:25.01-py3"}, "Triton's default"),
        ({"image": "pytorch/pytorch:2.7"}, None),
        ({"image": "acme/jaxon:1"}, None),
    ],
)  # fmt: skip
def test_servers_that_reserve_are_recognised(
    container: dict[str, object], expected: str | None
) -> None:
    found = find_reservation({"spec": {"containers": [container]}})
    assert (found and found.setting) == expected


def test_waste_is_told_apart_and_adds_up_to_the_gpus() -> None:
    idle = replace(WEEK, active_p95=0, active_mean=0, active_max=0.01)
    named = lambda n, use, **more: replace(device(use, **more), key=DeviceKey("n", f"GPU-{n}"))  # noqa: E731
    cut = DeviceKey("n", "GPU-cut", "1")
    devices = [
        named(1, WEEK),
        named(2, idle),
        named(3, idle, pods={}),
        named(4, replace(WEEK, active_mean=0.5), pods={}),
        replace(device(WEEK, profile="3g.40gb"), key=cut),
    ]
    found = add_waste(devices, lambda _: A100)[A100.product]
    assert (found.used, found.idle, found.free) == (1.5, 1.0, 1.0)
    assert (found.unknown, found.lost, found.all) == (1.0, 0.5, 5.0)
    unnamed = add_waste(devices, lambda _: A100, frozenset({"n"}))[A100.product]
    assert (unnamed.free, unnamed.unknown) == (0.0, 2.0)


def test_a_gpu_that_was_cut_in_the_window_is_one_gpu() -> None:
    days = replace(WEEK, points=1000)
    three = device(days, profile="3g.40gb")
    late = device(replace(WEEK, points=500), profile="3g.40gb", key=DeviceKey("n1", "GPU-1", "2"))
    found = add_waste([three, late], lambda _: A100)[A100.product]
    assert (found.used, found.lost, found.all) == (0.75, 0.25, 1.0)
    before = device(days)
    found = add_waste([before, three, late], lambda _: A100)[A100.product]
    assert (found.used, found.lost, found.all) == (pytest.approx(1.0), 0.0, pytest.approx(1.0))


def test_a_pod_that_two_exporters_name_was_there_once() -> None:
    twice = replace(WEEK, points=2 * WEEK.points, hours=2 * WEEK.hours)
    found = with_use(device(twice), WEEK).pods[POD]
    assert (found.points, found.hours) == (WEEK.points, WEEK.hours)
