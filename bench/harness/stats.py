"""Medians of paired ratios. Both sides of a ratio come from the same round, so that a
slower machine slows both."""

from dataclasses import dataclass
from statistics import median, quantiles


@dataclass(frozen=True)
class Ratio:
    """The median of the rounds' ratios, and the lowest and the highest of them."""

    median: float
    low: float
    high: float

    def __str__(self) -> str:
        return f"{number(self.median)} ({number(self.low)} to {number(self.high)})"


def paired(numerators: list[float], denominators: list[float]) -> Ratio:
    ratios = [one / other for one, other in zip(numerators, denominators, strict=True)]
    return Ratio(median(ratios), min(ratios), max(ratios))


def number(value: float) -> str:
    """Formats a measurement (float) with three significant digits and a count (int) with
    all digits, with commas between thousands."""
    if isinstance(value, int):
        return f"{value:,}"
    if value == 0:
        return "0"
    digits = 0
    while abs(value) * 10**digits < 100 and digits < 4:
        digits += 1
    rounded = round(value, digits)
    if rounded >= 1000:
        scale = 10 ** (len(str(int(rounded))) - 3)
        rounded = round(rounded / scale) * scale
    return f"{rounded:,.{digits}f}".rstrip("0").rstrip(".") if digits else f"{rounded:,.0f}"


def spread(values: list[float]) -> float:
    """The interquartile range, as a part of the median."""
    low, middle, high = quantiles(values, n=4)
    return (high - low) / middle
