"""Medians with their ranges. Both sides of a ratio come from the same round, so that a
slower machine slows both."""

from dataclasses import dataclass
from statistics import median, quantiles


@dataclass(frozen=True)
class Range:
    """The median of the figures of `count` rounds, and the lowest and the highest of them."""

    median: float
    low: float
    high: float
    count: int

    @classmethod
    def of(cls, values: list[float]) -> "Range":
        return cls(median(values), min(values), max(values), len(values))

    @property
    def width(self) -> float:
        """The distance from the lowest to the highest, as a part of the median."""
        return (self.high - self.low) / self.median

    def __str__(self) -> str:
        if self.count == 1:
            return f"{number(self.median)} (one run)"
        if self.low == self.high:
            return number(self.median)
        return f"{number(self.median)} ({number(self.low)} to {number(self.high)})"


def paired(numerators: list[float], denominators: list[float]) -> Range:
    return Range.of([one / other for one, other in zip(numerators, denominators, strict=True)])


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
