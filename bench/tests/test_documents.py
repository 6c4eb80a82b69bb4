"""README, docs and the report hold the figures of bench/results."""

import copy
import re
from pathlib import Path

import pytest

from harness import __main__ as main
from harness import documents, goals, paths, plots, tables
from harness.results import Results

STALE = "run `make bench-docs`, which writes the figures of bench/results into it"


@pytest.fixture(scope="module")
def results():
    return Results.read(paths.RESULTS)


@pytest.mark.parametrize("document", documents.DOCUMENTS, ids=lambda path: path.name)
def test_a_document_has_the_figures_of_the_results(document, results):
    text = document.read_text()
    assert text == documents.updated(text, results), f"{document} is stale: {STALE}"


def test_the_report_is_generated_from_the_results(results):
    report = (paths.RESULTS / "README.md").read_text()
    assert report == documents.report(results), f"the report is stale: {STALE}"


def test_the_plots_show_the_figures_of_the_results(results, tmp_path):
    plots.draw(results, tmp_path)
    drawn, published = shown(tmp_path), shown(paths.RESULTS)
    stale = [name for name in drawn | published if drawn.get(name) != published.get(name)]
    assert not stale, f"the plots {stale} are stale: {STALE}"


def shown(folder: Path) -> dict[str, list[str]]:
    """The labels and figures of each plot: shapes move with the length of a label."""
    text = re.compile(r"<text[^>]*>([^<]*)</text>")
    return {file.name: text.findall(file.read_text()) for file in folder.glob("*.svg")}


def test_another_result_makes_a_document_stale(results):
    found = copy.deepcopy(results.found)
    for turn in found["rounds"]["peers"]["swiss"]:
        turn["peak_rps"] *= 2
    changed = Results(found)
    for document in documents.DOCUMENTS:
        assert document.read_text() != documents.updated(document.read_text(), changed)


@pytest.mark.parametrize("quick, noisy", [(True, False), (False, True), (True, True)])
def test_a_quick_or_noisy_run_is_not_published(results, quick, noisy, monkeypatch, tmp_path):
    published = tmp_path / "published"
    monkeypatch.setattr(paths, "RESULTS", published)
    monkeypatch.setattr(paths, "WORK", tmp_path)
    main.write({**results.found, "quick": quick, "noisy": noisy})
    assert not published.exists()
    assert (tmp_path / "results/README.md").exists()


def test_the_published_run_is_neither_quick_nor_noisy(results):
    assert not results.found["quick"] and not results.found["noisy"]


def test_what_a_service_takes_on_disk_is_all_that_its_node_needs(results):
    sizes = {
        "original": {"disk_bytes": 3_000},
        "shim": {"disk_bytes": 2_000},
        "installer": {"disk_bytes": 990},
        "swiss": {"pulled_bytes": 7},
    }
    changed = with_(results, size=sizes, compile={"swiss": [{"compiled_bytes": 3}]})
    assert changed.further_on_disk() == 7 + 3
    assert changed.first_on_disk() == 7 + 3 + 990 + 2 * 2_000
    del sizes["installer"]
    changed = with_(results, size=sizes, compile={"swiss": [{"compiled_bytes": 3}]})
    first = next(goal for goal in goals.GOALS if "first service" in goal.metric)
    assert first.judge(changed).verdict == goals.UNKNOWN


def test_a_peer_near_the_ceiling_is_named(results):
    peaks = {"ceiling": [90.0, 100.0], "axum": [80.0, 70.0], "go": [60.0, 60.0]}
    text = tables.ceiling(with_(results, peaks=peaks))
    assert "95 (90 to 100) requests a second" in text
    assert f"{results.labels['axum']}, 0.794 (0.7 to 0.889)" in text
    assert results.labels["go"] not in text
    assert "not measured" in tables.ceiling(with_(results, peaks={"go": [60.0]}))


def test_the_pace_of_a_run_is_its_whole_range(results):
    found = copy.deepcopy(results.found)
    found["rounds"]["pace_ms"] = [5.0] * 6 + [7.0]
    assert "from 5 to 7 ms, which is 40% of its median" in tables.machine(Results(found))


def with_(results: Results, peaks: dict | None = None, **changes) -> Results:
    """`results` with other peaks in its rounds, or with other parts."""
    found = {**copy.deepcopy(results.found), **changes}
    if peaks:
        turns = {peer: [{"peak_rps": peak} for peak in all_] for peer, all_ in peaks.items()}
        found["rounds"]["peers"] = turns
        found["labels"].setdefault("ceiling", "the ceiling")
    return Results(found)


@pytest.mark.parametrize("color", sorted({
    color for file in paths.RESULTS.glob("*.svg")
    for color in re.findall(r"(?:fill|stroke): (#[0-9a-f]{6})", file.read_text())
}))  # fmt: skip
def test_a_plot_can_be_read_on_light_and_dark_pages(color):
    for page in ("#ffffff", "#0d1117"):
        assert contrast(color, page) >= 3, f"{color} is too faint on {page} (WCAG 2.2, 1.4.11)"


def contrast(one: str, other: str) -> float:
    """The contrast ratio of WCAG 2.2."""
    lighter, darker = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def _luminance(color: str) -> float:
    channels = [int(color[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return sum(weight * c for weight, c in zip((0.2126, 0.7152, 0.0722), linear, strict=True))
