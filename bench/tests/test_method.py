"""The method: paired ratios, the machine's noise, formats, goals, stripping."""

import pytest

from harness import goals
from harness.__main__ import is_noisy
from harness.machine import Noise
from harness.stats import Range, number, paired, spread
from harness.strip import stripped


def test_a_ratio_pairs_the_two_sides_of_a_round():
    # In the second round the machine has half the speed.
    assert paired([100, 50, 72], [10, 5, 9]) == Range(10, 8, 10, 3)


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


@pytest.mark.parametrize(
    ("low", "high", "at_least_2", "at_most_2"),
    [
        (2.1, 3.0, goals.MET, goals.MISSED),
        (2.0, 3.0, goals.MET, goals.UNDECIDED),
        (1.9, 3.0, goals.UNDECIDED, goals.UNDECIDED),
        (1.0, 2.0, goals.UNDECIDED, goals.MET),
        (1.0, 1.9, goals.MISSED, goals.MET),
    ],
)
@pytest.mark.parametrize("median", ["low", "high"])
def test_every_round_decides_a_goal_and_not_the_median(low, high, median, at_least_2, at_most_2):
    found = Range(low if median == "low" else high, low, high, 7)
    assert judged(found, minimum=True) == at_least_2
    assert judged(found, minimum=False) == at_most_2


def test_one_run_alone_decides_nothing_that_varies():
    assert judged(Range.of([3.0]), minimum=True) == goals.UNDECIDED
    assert str(Range.of([3.0])) == "3 (one run)"


def test_a_figure_that_does_not_vary_decides_alone():
    assert judged(2, minimum=True) == judged(2, minimum=False) == goals.MET
    assert judged(1.9, minimum=True) == judged(2.1, minimum=False) == goals.MISSED


def judged(found: Range | float, minimum: bool) -> str:
    return goals.Goal(6, "Peak", "", 2.0, minimum, lambda _: found).judge(None).verdict


@pytest.mark.parametrize(("slowest_ms", "noisy"), [(7.0, False), (7.6, True)])
def test_one_slow_round_makes_a_run_noisy(slowest_ms, noisy):
    quiet = Noise(busy=0, stolen=0, spread=0)
    found = {"labels": {}, "rounds": {"peers": {}, "pace_ms": [5.0] * 6 + [slowest_ms]}}
    assert is_noisy(quiet, found) is noisy
    assert is_noisy(Noise(busy=0.5, stolen=0, spread=0), found)


def test_stripping_removes_custom_sections_at_all_levels():
    core = b"\0asm\x01\0\0\0"
    custom = b"\x00\x02\x01n"
    component = b"\0asm\x0d\0\x01\0"
    nested = core + custom
    assert stripped(component + custom + b"\x01" + bytes([len(nested)]) + nested) == (
        component + b"\x01\x08" + core
    )
