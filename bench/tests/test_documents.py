"""README, docs and the report hold the figures of bench/results."""

import re

import pytest

from harness import documents, paths
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
