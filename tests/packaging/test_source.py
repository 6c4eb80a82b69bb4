"""The annotations that say of which source an artifact was made, and when."""

import os
import shutil
import subprocess

import pytest

import oci
from conftest import clean_environment
from repository import COMPONENT, REPOSITORY

COMMITTED = "2020-02-02T02:02:02Z"
COMMIT = ["-c", "user.name=t", "-c", "user.email=t", "commit", "--quiet"]
START_OF_1970 = "1970-01-01T00:00:00Z"
NOBODY = 65534


@pytest.fixture
def application(tmp_path):
    """An application that no repository contains."""
    folder = tmp_path / "application"
    (folder / "target").mkdir(parents=True)
    shutil.copyfile(COMPONENT, folder / "target/swiss.wasm")
    shutil.copyfile(REPOSITORY / "spin.toml", folder / "spin.toml")
    return folder


@pytest.fixture
def repository(application):
    """The application in a repository with a remote and one commit."""
    git(application, "init", "--quiet")
    git(application, "remote", "add", "origin", "https://user:secret@example.com/team/swiss.git")
    commit(application)
    return application


def git(folder, *arguments: str, **environment: str) -> str:
    command = ["git", "-C", folder, *arguments]
    result = subprocess.run(
        command, env=clean_environment() | environment, capture_output=True, text=True, check=True
    )
    return result.stdout.strip()


def commit(folder, date: str = COMMITTED) -> None:
    git(folder, "add", ".")
    git(folder, *COMMIT, "--message=c", GIT_COMMITTER_DATE=date)


@pytest.fixture
def annotations(push, tmp_path):
    """The annotations of the application in a folder, without OCI's prefix."""

    def annotations(folder, **environment: str) -> dict:
        layout = tmp_path / "layout"
        result = push("--from", folder / "spin.toml", "--layout", layout, **environment)
        assert (result.returncode, result.stderr) == (0, "")
        found = oci.read_layout(layout).manifest["annotations"]
        shutil.rmtree(layout)
        return {key.removeprefix("org.opencontainers.image."): found[key] for key in found}

    return annotations


@pytest.fixture
def refusal(push, tmp_path):
    """The error for the application in a folder, which leaves nothing behind."""

    def refusal(folder, **environment: str) -> str:
        layout = tmp_path / "layout"
        result = push("--from", folder / "spin.toml", "--layout", layout, **environment)
        assert result.returncode == 1
        assert not layout.exists()
        assert result.stderr.startswith("error: ")
        assert result.stderr.count("\n") == 1
        return result.stderr.removeprefix("error: ").rstrip("\n")

    return refusal


def test_the_source_is_the_remotes_address_and_the_time_is_the_commits(repository, annotations):
    head = git(repository, "rev-parse", "HEAD")
    found = annotations(repository)
    assert found["source"] == "https://example.com/team/swiss"
    assert (found["created"], found["revision"]) == (COMMITTED, head)
    (repository / "untracked").touch()
    assert annotations(repository)["revision"] == head
    with (repository / "spin.toml").open("a") as manifest:
        manifest.write("\n")
    assert annotations(repository)["revision"] == head + "-dirty"


def test_without_a_repository_the_time_is_the_start_of_1970(application, annotations):
    found = annotations(application)
    assert found["created"] == START_OF_1970
    assert {"source", "revision"}.isdisjoint(found)


def test_without_git_a_repository_is_an_error_and_no_repository_is_none(
    repository, annotations, refusal, tmp_path
):
    nothing = tmp_path / "bin"
    nothing.mkdir()
    assert refusal(repository, PATH=str(nothing)) == (
        f"{repository} is a Git repository, but there is no program git that tells its commit: "
        "install it"
    )
    shutil.rmtree(repository / ".git")
    assert annotations(repository, PATH=str(nothing))["created"] == START_OF_1970


@pytest.mark.parametrize(
    "setting",
    [
        "log.showSignature=true",
        "log.date=relative",
        "log.abbrevCommit=true",
        "log.follow=true",
        "format.pretty=full",
        "color.ui=always",
        "core.pager=false",
        "core.abbrev=7",
        "status.branch=true",
        "status.short=true",
        "status.showUntrackedFiles=all",
        "status.showStash=true",
        "status.relativePaths=true",
        "url.ssh://git@mirror.example/.insteadOf=https://",
    ],
)
def test_the_users_configuration_changes_nothing(repository, annotations, setting):
    expected = annotations(repository)
    (repository / "untracked").touch()
    key, value = setting.split("=", 1)
    git(repository, "config", key, value)
    assert annotations(repository) == expected


def test_a_signed_commit_whose_signature_git_shows_is_a_commit(repository, annotations, tmp_path):
    signer = tmp_path / "gpg"
    signer.write_text(
        "#!/bin/sh\ncat >/dev/null\necho '[GNUPG:] SIG_CREATED ' >&2\n"
        "printf -- '-----BEGIN PGP SIGNATURE-----\\nx\\n-----END PGP SIGNATURE-----\\n'\n"
    )
    signer.chmod(0o755)
    git(repository, "config", "gpg.program", str(signer))
    git(repository, "config", "log.showSignature", "true")
    git(
        repository,
        *COMMIT,
        "--allow-empty",
        "-S",
        "--message=c",
        GIT_COMMITTER_DATE=COMMITTED,
    )
    shown = git(repository, "log", "-1", "--format=%ct")
    assert not shown.isdigit(), "the signature is not shown"
    assert annotations(repository)["created"] == COMMITTED


@pytest.mark.parametrize(
    "environment",
    [
        {"GIT_DIR": "/nowhere"},
        {"GIT_INDEX_FILE": "/nowhere"},
        {"GIT_WORK_TREE": "/nowhere"},
        {"GIT_COMMON_DIR": "/nowhere"},
        {"GIT_OBJECT_DIRECTORY": "/nowhere"},
        {"GIT_NAMESPACE": "other"},
        {"GIT_CEILING_DIRECTORIES": "/:/tmp:/nowhere"},
        {"GIT_TRACE": "1"},
        {"LC_ALL": "de_DE.UTF-8", "LANGUAGE": "de"},
    ],
    ids=lambda environment: next(iter(environment)),
)
def test_the_environment_of_another_repository_changes_nothing(
    repository, annotations, environment
):
    expected = annotations(repository)
    assert annotations(repository, **environment) == expected
    shutil.rmtree(repository / ".git")
    assert annotations(repository, **environment)["created"] == START_OF_1970


def test_a_worktree_a_shallow_clone_and_a_submodule_have_their_commit(
    repository, annotations, tmp_path
):
    commit_ = annotations(repository)["revision"]
    git(repository, "worktree", "add", "--quiet", str(tmp_path / "worktree"))
    git(tmp_path, "clone", "--quiet", "--depth=1", f"file://{repository}", "shallow")
    git(tmp_path, "init", "--quiet", "whole")
    whole = tmp_path / "whole"
    git(
        whole,
        "-c",
        "protocol.file.allow=always",
        "submodule",
        "add",
        "--quiet",
        str(repository),
        "part",
    )
    for folder in (tmp_path / "worktree", tmp_path / "shallow", whole / "part"):
        (folder / "target").mkdir(exist_ok=True)
        shutil.copyfile(COMPONENT, folder / "target/swiss.wasm")
        found = annotations(folder)
        assert (found["created"], found["revision"]) == (COMMITTED, commit_), folder


@pytest.mark.skipif(os.geteuid() != 0, reason="only root gives folders away")
def test_a_repository_of_another_user_is_an_error_that_says_what_to_do(
    repository, annotations, refusal, tmp_path
):
    home = tmp_path / "home"
    home.mkdir()
    # sudo's variable would make Git trust this user.
    own = {"HOME": str(home), "SUDO_UID": ""}
    expected = annotations(repository)
    for folder in (repository, repository / ".git"):
        os.chown(folder, NOBODY, NOBODY)
    said = refusal(repository, **own)
    assert said.startswith(
        f"git does not tell the commit of {repository}: fatal: detected dubious ownership in "
        f"repository at '{repository}'"
    )
    remedy = f"git config --global --add safe.directory {repository}"
    assert said.endswith(remedy)
    # Another artifact is not what SOURCE_DATE_EPOCH asks for either.
    assert "dubious ownership" in refusal(repository, SOURCE_DATE_EPOCH="1", **own)
    subprocess.run(remedy, shell=True, env=os.environ | own, check=True)
    assert annotations(repository, **own) == expected


@pytest.mark.parametrize(
    "broken", ["HEAD", "commit", "objects", "config", "pointer", "empty", "dangling"]
)
def test_a_broken_repository_is_an_error_with_gits_words(repository, refusal, broken):
    match broken:
        case "HEAD":
            (repository / ".git/HEAD").write_text("nonsense\n")
        case "commit":
            (repository / ".git/HEAD").write_text("0" * 39 + "1\n")
        case "objects":
            shutil.rmtree(repository / ".git/objects")
            (repository / ".git/objects").mkdir()
        case "config":
            (repository / ".git/config").write_text("[")
        case "pointer":
            shutil.rmtree(repository / ".git")
            (repository / ".git").write_text("gitdir: /nowhere\n")
        case "empty":
            shutil.rmtree(repository / ".git")
            (repository / ".git").mkdir()
        case "dangling":
            shutil.rmtree(repository / ".git")
            (repository / ".git").symlink_to("/nowhere")
    assert refusal(repository).startswith(f"git does not tell the commit of {repository}: ")


def test_a_repository_without_a_commit_needs_a_time(application, annotations, refusal):
    git(application, "init", "--quiet")
    assert refusal(application) == (
        f"the repository of {application} has no commit, and so no time: commit, or set "
        "SOURCE_DATE_EPOCH"
    )
    found = annotations(application, SOURCE_DATE_EPOCH="0")
    assert "revision" not in found


def test_a_commit_of_the_year_10000_needs_a_time(application, annotations, refusal):
    git(application, "init", "--quiet")
    commit(application, date="@253402300800 +0000")
    assert "has no time between 1970 and 9999: set SOURCE_DATE_EPOCH" in refusal(application)
    assert annotations(application, SOURCE_DATE_EPOCH="0")["created"] == START_OF_1970


@pytest.mark.parametrize(
    ("value", "time"),
    [
        ("0", START_OF_1970),
        ("1767225600", "2026-01-01T00:00:00Z"),
        ("253402300799", "9999-12-31T23:59:59Z"),
        ("", COMMITTED),
    ],
)
def test_source_date_epoch_is_the_time(repository, annotations, value, time):
    assert annotations(repository, SOURCE_DATE_EPOCH=value)["created"] == time


@pytest.mark.parametrize(
    "value", ["253402300800", "1767225600000", "9" * 30, "-1", "+1", "1.5", " 1", "now", "1e9"]
)
def test_what_is_no_time_is_refused_by_name(repository, refusal, value):
    assert refusal(repository, SOURCE_DATE_EPOCH=value).startswith(f"SOURCE_DATE_EPOCH is {value},")


def test_an_application_has_its_own_licence_and_not_ours(application, annotations):
    assert "licenses" not in annotations(application)
    cargo = application / "Cargo.toml"
    cargo.write_text('[package]\nname = "other"\nlicense = "MIT"\n')
    assert annotations(application)["licenses"] == "MIT"
    cargo.write_text("[package]\nlicense.workspace = true\n[workspace.package]\nlicense = 'Zlib'\n")
    assert annotations(application)["licenses"] == "Zlib"
    for text in ("[package]\nname = 'other'\n", "[", "[package]\nlicense.workspace = true\n"):
        cargo.write_text(text)
        assert "licenses" not in annotations(application)
