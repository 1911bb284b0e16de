"""MIG profiles are read in both spellings, and products by whole words."""

import pytest

from webhook.core.api import mig
from webhook.core.api.mig import Profile


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("1g.10gb", "1g.10gb"),
        ("1g.10gb+me", "1g.10gb.me"),
        ("1g.10gb.me", "1g.10gb.me"),
        ("1g.24gb+me.all", "1g.24gb.me.all"),
        ("2g.48gb+gfx", "2g.48gb.gfx"),
        ("1g.24gb-me", "1g.24gb-me"),
        ("7g.141gb", "7g.141gb"),
        ("1g.0gb", "1g.0gb"),
    ],
)
def test_profiles_have_one_name_in_kubernetes(text: str, name: str) -> None:
    assert mig.parse_profile(text).name == name
    assert mig.of_resource(f"nvidia.com/mig-{name}") == (mig.parse_profile(text), False)
    assert mig.of_resource(f"nvidia.com/mig-{name}.shared") == (mig.parse_profile(text), True)


@pytest.mark.parametrize("text", ["1c.2g.20gb", "8g.80gb", "1g.10GB", "1g", "", "1g.10gb.foo", "a"])
def test_what_has_no_resource_is_no_profile(text: str) -> None:
    with pytest.raises(mig.ProfileError):
        mig.parse_profile(text)
    assert mig.of_resource(f"nvidia.com/mig-{text}") is None


@pytest.mark.parametrize(
    ("product", "profile"),
    [
        ("NVIDIA-A100-SXM4-80GB-MIG-1g.10gb", Profile(1, 10)),
        ("NVIDIA-A100-SXM4-80GB-MIG-1g.10gb-SHARED", Profile(1, 10)),
        ("NVIDIA-A100-SXM4-80GB-MIG-INVALID", None),
        ("NVIDIA-A100-SXM4-80GB", None),
    ],
)
def test_single_strategy_tells_the_profile_in_the_product(
    product: str, profile: Profile | None
) -> None:
    assert mig.of_product(product) == profile


@pytest.mark.parametrize(
    ("token", "product", "named"),
    [
        ("A100", "NVIDIA-A100-SXM4-80GB", True),
        ("a100", "NVIDIA-A100-SXM4-80GB", True),
        ("A10", "NVIDIA-A100-SXM4-80GB", False),
        ("A100X", "NVIDIA-A100-SXM4-80GB", False),
        ("A100", "NVIDIA-A100X", False),
        ("T4", "Tesla-T4-SHARED", True),
        ("L4", "NVIDIA-L40S", False),
        ("RTX-PRO-6000", "NVIDIA-RTX-PRO-6000-Blackwell-Server-Edition", True),
        ("H200", "NVIDIA-GH200-480GB", False),
    ],
)
def test_a_token_is_a_whole_word_of_a_product(token: str, product: str, *, named: bool) -> None:
    assert mig.is_product(token, product) is named


@pytest.mark.parametrize(
    ("product", "slices"),
    [
        ("NVIDIA-A100-SXM4-80GB", 7),
        ("NVIDIA-A30", 4),
        ("NVIDIA-RTX-PRO-6000-Blackwell-Server-Edition", 4),
        ("NVIDIA-RTX-PRO-5000-Blackwell", 2),
        ("NVIDIA-RTX-PRO-6000D-Blackwell", 2),
        ("", 7),
    ],
)
def test_products_are_cut_into_their_own_number_of_slices(product: str, slices: int) -> None:
    assert mig.compute_slices(product) == slices
