"""The goals, and which of them a run meets.

A goal is a ratio to a peer of the same run, or a limit. Its `row` is its number in
the table of the report. What varies from round to round meets its goal only if every
round does, and misses it only if no round meets it.
"""

from collections.abc import Callable
from dataclasses import dataclass

from .results import Results
from .stats import Range, number

MET, MISSED, UNDECIDED, UNKNOWN = "met", "missed", "undecided", "not measured"
# Rows that users of a service notice. The others are about what is inside.
NOTICED = {1, 6, 7, 8, 9, 10, 11}


@dataclass(frozen=True)
class Verdict:
    row: int
    metric: str
    goal: str
    found: str
    verdict: str


@dataclass(frozen=True)
class Goal:
    row: int
    metric: str
    goal: str
    # The lower limit if `minimum`, else the upper limit.
    limit: float
    minimum: bool
    measure: Callable[[Results], Range | float]

    def judge(self, results: Results) -> Verdict:
        try:
            found = self.measure(results)
        except KeyError as missing:
            reason = f"no {missing.args[0]} in this run"
            return Verdict(self.row, self.metric, self.goal, reason, UNKNOWN)
        text = str(found) if isinstance(found, Range) else number(found)
        return Verdict(self.row, self.metric, self.goal, text, self._verdict(found))

    def _verdict(self, found: Range | float) -> str:
        if not isinstance(found, Range):
            return MET if self._meets(found) else MISSED
        if found.count == 1 or self._meets(found.low) != self._meets(found.high):
            return UNDECIDED
        return MET if self._meets(found.median) else MISSED

    def _meets(self, value: float) -> bool:
        return value >= self.limit if self.minimum else value <= self.limit


def _least(row, metric, limit, what, measure) -> Goal:
    return Goal(row, metric, f"≥ {number(limit)} {what}".strip(), limit, True, measure)


def _most(row, metric, limit, what, measure) -> Goal:
    return Goal(row, metric, f"≤ {number(limit)} {what}".strip(), limit, False, measure)


def _sized(kind: str, one: str, other: str):
    return lambda r: r.size(one, kind) / r.size(other, kind)


def _rounds(metric: str, one: str, other: str):
    return lambda r: r.rounds(metric, one, other)


def _probe(metric: str, one: str, other: str):
    return lambda r: r.probe(metric, one, other)


def _start(kind: str, one: str, other: str):
    return lambda r: r.start(kind, one, other)


def _memory(metric: str, one: str, other: str):
    return lambda r: r.memory(metric, one, other)


GOALS = [
    _least(1, "On disk, one service more on a node that has the shim", 10_000,
           "x less than the original's image",
           lambda r: r.size("original", "disk_bytes") / r.further_on_disk()),
    _most(1, "On disk, the first service on a node, with shim and installer", 1,
          "x the original's image",
          lambda r: r.first_on_disk() / r.size("original", "disk_bytes")),
    _least(1, "Bytes pulled", 20, "x fewer than stock", _sized("pulled_bytes", "stock", "swiss")),
    _least(1, "Bytes pulled", 60, "x fewer than axum, gzipped",
           _sized("pulled_bytes", "axum", "swiss")),
    _most(2, "Component, bytes", 7424, "", lambda r: r.size("swiss", "bytes")),
    _most(2, "Component", 1.5, "x the one by hand", _sized("bytes", "swiss", "floor")),
    _most(2, "Component", 1 / 20, "x stock", _sized("bytes", "swiss", "stock")),
    _most(3, "Compiling", 1 / 25, "x stock", _probe("compile_ms", "swiss", "stock")),
    _most(3, "Compiling", 1.3, "x by hand", _probe("compile_ms", "swiss", "floor")),
    _most(4, "Compiled code", 1 / 12, "x stock",
          lambda r: r.compiled("swiss") / r.compiled("stock")),
    _most(5, "Instance made and dropped", 1 / 3, "x stock",
          _probe("instantiate_us", "swiss", "stock")),
    _most(5, "Instance made and dropped", 1.15, "x by hand",
          _probe("instantiate_us", "swiss", "floor")),
    _least(6, "Peak, fresh instances", 2.5, "x stock", _rounds("peak_rps", "swiss", "stock")),
    _least(6, "Peak, fresh instances", 0.95, "x by hand", _rounds("peak_rps", "swiss", "floor")),
    _least(6, "Peak, fresh instances", 3.5, "x Flask (gthread)",
           _rounds("peak_rps", "swiss", "flask")),
    _least(7, "Peak, reused instances", 12, "x Flask (gthread)",
           _rounds("peak_rps", "swiss-reuse", "flask")),
    _least(7, "Peak, reused instances", 0.5, "x axum",
           _rounds("peak_rps", "swiss-reuse", "axum")),
    _least(7, "Peak, reused instances", 1.5, "x stock at the same reuse",
           _rounds("peak_rps", "swiss-reuse", "stock-reuse")),
    _least(7, "Peak, reused instances", 0.6, "x Spin's static_response",
           _rounds("peak_rps", "swiss-reuse", "spin-static")),
    _most(8, "p99 at half of Flask's peak", 0.1, "x Flask (gthread)",
          _rounds("p99_ms", "swiss", "flask")),
    _most(8, "p99 at half of Flask's peak", 3, "x axum", _rounds("p99_ms", "swiss", "axum")),
    _most(8, "p99.9 at half of Flask's peak, ms", 2, "", lambda r: r.range("p99.9_ms", "swiss")),
    _most(8, "p50 on one connection, ms", 0.1, "", lambda r: r.range("alone_p50_ms", "swiss")),
    _most(9, "Start, warm", 1 / 8, "x Flask (gthread)",
          _start("warm_ms", "swiss", "flask")),
    _most(9, "Start, warm", 0.9, "x stock", _start("warm_ms", "swiss", "stock")),
    _most(9, "Start, cold", 1 / 4, "x stock", _start("cold_ms", "swiss", "stock")),
    _most(9, "Start, warm", 9, "x axum", _start("warm_ms", "swiss", "axum")),
    _most(11, "Memory of one replica more, idle", 1 / 6, "x Flask (gthread)",
          _memory("replica_mib", "swiss", "flask")),
    _most(11, "Growth under load, MiB", 1, "",
          lambda r: Range.of(r.memories("loaded_growth_mib", "swiss"))),
    _most(11, "Growth under load", 1 / 4, "x stock",
          _memory("loaded_growth_mib", "swiss", "stock")),
    _most(11, "Growth over the many requests, KiB", 64, "", lambda r: r.growth()),
    _most(12, "System calls for a request", 3.1, "", lambda r: r.system_calls("swiss")),
    _most(12, "Host calls for a request", 9, "", lambda r: r.work("host_calls", "swiss")),
    _most(12, "Host instructions, fresh instance", 0.53, "x stock",
          lambda r: r.work("instructions", "swiss") / r.work("instructions", "stock")),
    _most(12, "Guest instructions", 1000, "", lambda r: r.work("guest_instructions", "swiss")),
]  # fmt: skip


def verdicts(results: Results) -> list[Verdict]:
    judged = [goal.judge(results) for goal in GOALS]
    elsewhere = Verdict(
        10, "Pod created to Ready", "≤ 0.5 x Flask", "`make e2e` times pods, none of Flask", UNKNOWN
    )
    return sorted([*judged, elsewhere], key=lambda verdict: verdict.row)


def counted(results: Results) -> str:
    """How many goals have each verdict."""
    found = [v.verdict for v in verdicts(results)]
    parts = [f"{found.count(v)} are {v}" for v in (MET, MISSED, UNDECIDED)]
    return f"of {len(found)} goals {', '.join(parts)} and {found.count(UNKNOWN)} were {UNKNOWN}"


def missed(results: Results) -> str:
    """A list of the missed goals that users of a service notice."""
    missed = [v for v in verdicts(results) if v.verdict == MISSED and v.row in NOTICED]
    return "\n".join(f"- {v.metric}: {v.found}. The goal is {v.goal}." for v in missed) or "None."
