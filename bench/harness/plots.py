"""The plots. Each file serves light and dark pages: it has no background, and its
colours stand out from white and from near black."""

from pathlib import Path
from statistics import median

import matplotlib as mpl
from matplotlib import pyplot

from .results import Results
from .stats import number

TEXT = "#757575"
OURS, OTHERS, YARDSTICK = "#d1571f", "#5b7fa6", "#7d8590"
PERCENTILES = ("50", "90", "99", "99.9")
_MARKS = "os^vDP"

mpl.use("svg")
mpl.rcParams |= {
    "axes.edgecolor": TEXT,
    "axes.labelcolor": TEXT,
    "axes.spines.right": False,
    "axes.spines.top": False,
    "axes.titlelocation": "left",
    "font.size": 10,
    "legend.frameon": False,
    "legend.labelcolor": TEXT,
    # Text stays text, and the same results give the same file.
    "svg.fonttype": "none",
    "svg.hashsalt": "swiss",
    "text.color": TEXT,
    "xtick.color": TEXT,
    "ytick.color": TEXT,
}


def draw(results: Results, folder: Path) -> None:
    peaks = {peer: results.values("peak_rps", peer) for peer in results.peers}
    served = "Requests a second on one core, 16 connections\n(components in the embedded host)"
    _bars(folder / "throughput.svg", results, peaks, served)
    starts = {peer: results.starts(peer, "warm_ms") for peer in results.found["start"]}
    for peer in results.found["start"]:
        if cold := results.starts(peer, "cold_ms"):
            starts[f"{peer} cold"] = cold
    _bars(
        folder / "start.svg", results, starts, "Milliseconds from exec to the first 200", log=True
    )
    sizes = {
        name: [size["pulled_bytes"]]
        for name, size in results.found["size"].items()
        if "pulled_bytes" in size
    }
    # Reuse does not change the component.
    sizes = {name: size for name, size in sizes.items() if not name.endswith("-reuse")}
    pulled = "Bytes that a node pulls\n(components without the shim, programs gzipped)"
    _bars(folder / "size.svg", results, sizes, pulled, log=True)
    _latency(folder / "latency.svg", results)


def _bars(file: Path, results: Results, values: dict, title: str, log: bool = False) -> None:
    """One bar for each name: the median, with an error bar from lowest to highest."""
    names = sorted(values, key=lambda name: median(values[name]))
    figure, axes = pyplot.subplots(figsize=(8, 0.36 * len(names) + 1.1), layout="constrained")
    for at, name in enumerate(names):
        middle, low, high = median(values[name]), min(values[name]), max(values[name])
        spread = [[middle - low], [high - middle]] if high > low else None
        axes.barh(at, middle, color=_color(name), height=0.7, xerr=spread, ecolor=TEXT)
        axes.annotate(number(middle), (high, at), (5, 0), textcoords="offset points", va="center")
    axes.set_yticks(range(len(names)), [_label(results, name) for name in names])
    axes.set_title(title)
    axes.margins(x=0.12)
    if log:
        axes.set_xscale("log")
    _save(figure, file)


def _latency(file: Path, results: Results) -> None:
    figure, axes = pyplot.subplots(figsize=(8, 4.2), layout="constrained")
    counts: dict[str, int] = {}
    for peer in results.peers:
        color = _color(peer)
        mark = _MARKS[counts.get(color, 0) % len(_MARKS)]
        counts[color] = counts.get(color, 0) + 1
        values = [results.median(f"p{p}_ms", peer) for p in PERCENTILES]
        axes.plot(PERCENTILES, values, color=color, marker=mark, label=results.labels[peer])
    axes.set_yscale("log")
    rate = number(results.found["rate"])
    axes.set_title(f"Latency in milliseconds at {rate} requests a second, by percentile")
    axes.legend(loc="upper left", bbox_to_anchor=(1, 1))
    _save(figure, file)


def _color(name: str) -> str:
    if name in ("ceiling", "floor"):
        return YARDSTICK
    return OURS if "swiss" in name else OTHERS


def _label(results: Results, name: str) -> str:
    peer, _, kind = name.partition(" ")
    label = results.labels[peer]
    return f"{label}, {kind}" if kind else label


def _save(figure, file: Path) -> None:
    figure.savefig(file, transparent=True, metadata={"Date": None})
    pyplot.close(figure)
