"""The method: paired ratios, the machine's noise, formats, goals, stripping."""

import pytest

from harness import goals
from harness.machine import Noise
from harness.stats import Ratio, number, paired, spread
from harness.strip import stripped


def test_a_ratio_pairs_the_two_sides_of_a_round():
    # In the second round the machine has half the speed.
    assert paired([100, 50, 90], [10, 5, 10]) == Ratio(10, 9, 10)


def test_a_ratio_needs_all_its_rounds():
    with pytest.raises(ValueError):
        paired([1, 2], [1])


def test_an_outlier_does_not_make_a_machine_noisy():
    assert spread([1.0] * 99 + [9.0]) == 0


def test_the_noise_of_a_machine_is_described():
    noise = Noise(busy=0.5, stolen=0.02, spread=0.3)
    assert noise.too_much
    assert "other work takes 50% of a core" in str(noise)
    assert "30% apart" in str(noise)
    assert not Noise(busy=0.02, stolen=0, spread=0.05).too_much


@pytest.mark.parametrize(
    ("value", "text"),
    [(0, "0"), (0.0123, "0.0123"), (3.456, "3.46"), (12.94, "12.9"), (10_000, "10,000"),
     (12_934.0, "12,900"), (131_072.0, "131,000"), (5_804, "5,804"), (999.9, "1,000")],
)  # fmt: skip
def test_a_measurement_has_three_digits_and_a_count_has_all(value, text):
    assert number(value) == text


def test_a_goal_whose_peer_is_missing_is_not_measured():
    def missing(_):
        raise KeyError("spin-static")

    verdict = goals.Goal(7, "Peak", "≥ 0.6 x", 0.6, True, missing).judge(None)
    assert verdict.verdict == goals.UNKNOWN
    assert "spin-static" in verdict.found


@pytest.mark.parametrize(("minimum", "verdict"), [(True, goals.MET), (False, goals.MISSED)])
def test_a_goal_is_judged_by_the_median(minimum, verdict):
    goal = goals.Goal(6, "Peak", "", 2.0, minimum, lambda _: Ratio(2.5, 1.0, 3.0))
    assert goal.judge(None).verdict == verdict


def test_stripping_removes_custom_sections_at_all_levels():
    core = b"\0asm\x01\0\0\0"
    custom = b"\x00\x02\x01n"
    component = b"\0asm\x0d\0\x01\0"
    nested = core + custom
    assert stripped(component + custom + b"\x01" + bytes([len(nested)]) + nested) == (
        component + b"\x01\x08" + core
    )
