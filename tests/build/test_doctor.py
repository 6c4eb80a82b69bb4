"""`make doctor` names what is missing, for which verb, and how to get it."""

import pytest

from verbs import link_tools, run, script

# Without this tool, this verb cannot run, this one can, and this helps.
MISSING = [
    ("cc", "build", "", "apt-get install gcc libc6-dev"),
    ("rustc", "up", "", "https://rustup.rs"),
    ("cargo", "push", "", "https://rustup.rs"),
    ("git", "push", "up", "apt-get install git"),
    ("python3", "test", "push", "apt-get install python3 python3-venv"),
    ("go", "test", "up", "https://go.dev/dl"),
    ("node", "test", "up", "https://nodejs.org"),
    ("npm", "test", "up", "apt-get install npm"),
    ("curl", "test", "up", "apt-get install curl"),
    ("perl", "test", "up", "apt-get install perl"),
    ("go", "bench", "up", "https://go.dev/dl"),
    ("apt-get", "e2e", "test", "Debian"),
    ("unshare", "e2e", "test", "virtual machine"),
]
NAMES = {"unshare": "namespaces"}
# Each is too old, or does not work. What it prints, and what `make doctor` says of it.
UNFIT = [
    ("rustc", "echo 'rustc 1.80.1 (3f5fd8dd4 2024-08-06)'", "build", "Rust 1.95 or newer"),
    ("cc", "echo 'xcode-select: note: No developer tools were found' >&2; exit 1", "up", "cc"),
    ("python3", "exit 1", "test", "Python 3.11 or newer (python3) with venv and ensurepip"),
    ("go", "echo go1.19.8", "test", "Go 1.26.0 or newer"),
    ("node", "echo v18.20.4", "test", "Node 20 or newer"),
    ("cargo", '[ "$1" != clippy ]', "test", "Rust's clippy and rustfmt"),
    ("curl", "echo 'curl 7.74.0 (x86_64-pc-linux-gnu)'", "test", "curl 7.82 or newer"),
]


def test_a_verb_that_can_run_is_ready():
    done = run("doctor", "VERBS=build up push test test-url")
    assert (done.returncode, done.stderr) == (0, "")
    ready = [f"ready: make {verb}" for verb in ("build", "up", "push", "test", "test-url")]
    assert done.stdout.splitlines() == ready


@pytest.mark.parametrize(("tool", "verb", "other", "remedy"), MISSING)
def test_a_missing_tool_is_named_with_its_verbs_and_its_remedy(tool, verb, other, remedy, tmp_path):
    path = link_tools(tmp_path / "bin", tool)
    done = run("doctor", f"VERBS={verb} {other}", PATH=path)
    assert done.returncode == 2
    line = done.stderr.splitlines()[0]
    assert line.startswith(f"missing for make {verb}: ") and remedy in line
    assert NAMES.get(tool, tool) in line
    assert f"ready: make {verb}" not in done.stdout.splitlines()
    if other:
        assert f"ready: make {other}" in done.stdout.splitlines(), done.stderr


@pytest.mark.parametrize(("tool", "text", "verb", "expected"), UNFIT)
def test_a_tool_that_is_too_old_or_broken_is_missing(tool, text, verb, expected, tmp_path):
    path = link_tools(tmp_path / "bin")
    script(tmp_path / "bin", tool, text)
    done = run("doctor", f"VERBS={verb}", PATH=path)
    assert done.returncode == 2
    assert f"missing for make {verb}: " in done.stderr and expected in done.stderr


def test_a_folder_for_temporary_files_is_needed_and_no_other_is_used(tmp_path):
    """The compiler would write into the root folder, and is not what is missing."""
    path = link_tools(tmp_path / "bin")
    script(tmp_path / "bin", "cc", f'echo "$@" >{tmp_path}/compiled')
    done = run("doctor", "VERBS=build", PATH=path, TMPDIR="/nonexistent")
    assert done.returncode == 2
    (line, _) = done.stderr.splitlines()
    assert line.startswith("missing for make build: a temporary folder") and "TMPDIR" in line
    assert "ready" not in done.stdout
    assert not (tmp_path / "compiled").exists()


def test_every_tool_that_is_missing_is_named_at_once(tmp_path):
    path = link_tools(tmp_path / "bin", "cc", "cargo", "go", "npm", "python3")
    done = run("doctor", PATH=path)
    assert done.returncode == 2
    for name in ["(cc)", "cargo", "(go)", "npm", "python3"]:
        assert name in done.stderr


def test_on_macos_the_remedies_are_those_of_macos(tmp_path):
    path = link_tools(tmp_path / "bin", "cc", "go")
    script(tmp_path / "bin", "uname", "echo Darwin")
    done = run("doctor", "VERBS=test", PATH=path)
    assert "xcode-select --install" in done.stderr and "brew install go" in done.stderr
    assert "apt-get" not in done.stderr


@pytest.mark.parametrize(
    ("verb", "tool"), [("up", "cc"), ("build", "cargo"), ("test", "go"), ("e2e", "python3")]
)
def test_a_verb_asks_the_doctor_before_it_starts(verb, tool, tmp_path):
    done = run(verb, PATH=link_tools(tmp_path / "bin", tool))
    assert done.returncode == 2
    assert f"missing for make {verb}: " in done.stderr and tool in done.stderr
    assert done.stdout == ""


def test_an_unknown_verb_is_an_error():
    done = run("doctor", "VERBS=up tset")
    assert done.returncode == 2
    assert "error: tset is none of the verbs build up push " in done.stderr


def test_another_cluster_needs_no_root(tmp_path):
    path = link_tools(tmp_path / "bin", "apt-get", "unshare")
    script(tmp_path / "bin", "id", "echo 1000")
    assert "root" in run("doctor", "VERBS=e2e", PATH=path).stderr
    done = run("doctor", "VERBS=e2e", PATH=path, E2E_KUBECONFIG="/kubeconfig")
    assert (done.returncode, done.stdout) == (0, "ready: make e2e\n")
