"""The results of a run, as results.json holds them, and the figures derived from them."""

import json
from pathlib import Path
from statistics import median

from .stats import Ratio, paired


class Results:
    """A peer or metric that was not measured raises a KeyError with its name."""

    def __init__(self, found: dict):
        self.found = found
        self.labels: dict[str, str] = found["labels"]
        self.peers = list(found["rounds"]["peers"])

    @classmethod
    def read(cls, folder: Path) -> "Results":
        return cls(json.loads((folder / "results.json").read_text()))

    def size(self, peer: str, kind: str) -> int:
        return self.found["size"][peer][kind]

    def values(self, metric: str, peer: str) -> list[float]:
        """The values of all rounds."""
        return [turn[metric] for turn in self.found["rounds"]["peers"][peer]]

    def median(self, metric: str, peer: str) -> float:
        return median(self.values(metric, peer))

    def rounds(self, metric: str, one: str, other: str) -> Ratio:
        return paired(self.values(metric, one), self.values(metric, other))

    def probes(self, metric: str, component: str) -> list[float]:
        verb = "compile" if metric.startswith("compile") else "instantiate"
        return [found[metric] for found in self.found[verb][component]]

    def probe(self, metric: str, one: str, other: str) -> Ratio:
        return paired(self.probes(metric, one), self.probes(metric, other))

    def starts(self, peer: str, kind: str) -> list[float]:
        return self.found["start"][peer][kind]

    def start(self, one: str, other: str, kind: str, other_kind: str) -> Ratio:
        return paired(self.starts(one, kind), self.starts(other, other_kind))

    def memory(self, metric: str, peer: str) -> float:
        return self.found["memory"][peer][metric]

    def growth(self) -> float:
        return self.found["growth"]["growth_kib"]

    def work(self, metric: str, component: str) -> float:
        return self.found["work"][component][metric]

    def system_calls(self, peer: str) -> float:
        return sum(self.found["work"][peer]["system_calls"].values())
