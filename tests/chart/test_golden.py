"""golden/ has the rendered environments, so that a review shows what a change does.

`make chart-golden` writes the files.
"""

import re

import pytest
import yaml

from environments import ENVIRONMENTS, rendered
from helm import CHART, HELM3, HELM4, HERE

GOLDEN = HERE / "golden"


@pytest.mark.parametrize("binary", [HELM3, HELM4], ids=["helm 3", "helm 4"])
@pytest.mark.parametrize("environment", ENVIRONMENTS)
def test_the_render_equals_the_golden_file(environment, binary, request):
    golden = GOLDEN / f"{environment}.yaml"
    # Helm 4 leaves empty lines between the objects.
    render = re.sub(r"\n+---\n", "\n---\n", rendered(environment, binary=binary)).strip() + "\n"
    if request.config.getoption("--write-golden"):
        golden.write_text(render)
    assert render == golden.read_text()


def test_every_values_file_has_a_golden_file_and_the_reverse():
    files = {f"{path.parent.name}/{path.name}" for path in CHART.glob("e*/*.yaml")}
    assert {name for names, _ in ENVIRONMENTS.values() for name in names} == files
    assert {path.stem for path in GOLDEN.iterdir()} == ENVIRONMENTS.keys()


@pytest.mark.parametrize("path", sorted(CHART.glob("e*/*.yaml")), ids=lambda path: path.name)
def test_every_block_of_a_values_file_has_a_comment(path):
    """Empty lines separate blocks. The comment is above the block or, in a map, above
    its first key."""
    _head, *blocks = path.read_text().split("\n\n")
    assert yaml.safe_load(path.read_text())
    for block in blocks:
        lines = block.strip("\n").splitlines()
        assert lines[0].startswith("#") or lines[1].strip().startswith("#"), block
