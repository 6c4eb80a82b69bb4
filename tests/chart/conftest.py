import pytest

from api_server import ApiServer, api_server


def pytest_addoption(parser):
    parser.addoption(
        "--write-golden",
        action="store_true",
        help="overwrite golden/ with the current renders",
    )


@pytest.fixture(scope="module")
def api(tmp_path_factory) -> ApiServer:
    with api_server(tmp_path_factory.mktemp("home")) as server:
        yield server


@pytest.fixture(scope="module")
def cluster(api):
    """A function that returns the notes, or the manifest, of a dry run in a cluster with
    given answers."""

    def notes(values: dict, known: dict, *, part: str = "NOTES", **keywords) -> str:
        # Without a look-up, Helm needs only the version of the cluster, and half the time.
        looks_up = "lookup" in values or part == "MANIFEST"
        install = api.install if looks_up else api.install_in_memory
        result = install(values, known, **keywords)
        assert result.returncode == 0, result.stderr
        before, after = result.stdout.split("\nNOTES:\n")
        return after if part == "NOTES" else before.split("\nMANIFEST:\n")[1]

    return notes
