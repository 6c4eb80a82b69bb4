"""The results of a run, as results.json holds them, and the figures derived from them."""

import json
from pathlib import Path
from statistics import median

from .stats import Range, paired


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

    def compiled(self, component: str) -> int:
        """The bytes of the compiled code."""
        return self.found["compile"][component][0]["compiled_bytes"]

    def further_on_disk(self) -> int:
        """The bytes of one service more on the disk of a node that has the shim: containerd
        stores the artifact as it is pulled, and the compiled code."""
        return self.size("swiss", "pulled_bytes") + self.compiled("swiss")

    def first_on_disk(self) -> int:
        """The bytes of the first service on the disk of a node: the installer's image
        holds the installer and the shim, which the installer copies to the node."""
        shim, installer = self.size("shim", "disk_bytes"), self.size("installer", "disk_bytes")
        return self.further_on_disk() + installer + 2 * shim

    def values(self, metric: str, peer: str) -> list[float]:
        """The values of all rounds."""
        return [turn[metric] for turn in self.found["rounds"]["peers"][peer]]

    def median(self, metric: str, peer: str) -> float:
        return median(self.values(metric, peer))

    def range(self, metric: str, peer: str) -> Range:
        return Range.of(self.values(metric, peer))

    def rounds(self, metric: str, one: str, other: str) -> Range:
        return paired(self.values(metric, one), self.values(metric, other))

    def probes(self, metric: str, component: str) -> list[float]:
        verb = "compile" if metric.startswith("compile") else "instantiate"
        return [found[metric] for found in self.found[verb][component]]

    def probe(self, metric: str, one: str, other: str) -> Range:
        return paired(self.probes(metric, one), self.probes(metric, other))

    def starts(self, peer: str, kind: str) -> list[float]:
        return self.found["start"][peer][kind]

    def start(self, kind: str, one: str, other: str) -> Range:
        return paired(self.starts(one, kind), self.starts(other, kind))

    def memories(self, metric: str, peer: str) -> list[float]:
        """The values of all runs."""
        return [run[metric] for run in self.found["memory"][peer]]

    def memory(self, metric: str, one: str, other: str) -> Range:
        return paired(self.memories(metric, one), self.memories(metric, other))

    def growth(self) -> Range:
        return Range.of([run["growth_kib"] for run in self.found["growth"]])

    def pace(self) -> Range:
        """The times of a fixed loop before each round, in milliseconds."""
        return Range.of(self.found["rounds"]["pace_ms"])

    def work(self, metric: str, component: str) -> float:
        return self.found["work"][component][metric]

    def system_calls(self, peer: str) -> float:
        return sum(self.found["work"][peer]["system_calls"].values())
