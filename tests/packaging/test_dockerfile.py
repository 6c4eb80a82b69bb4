"""The build stages of both Dockerfiles, without the Rust image: the files that they get,
and that the component's command builds from them the same bytes as `make build`.
"""

import os
import re
import shlex
import shutil
import subprocess
from pathlib import Path

import pytest

import oci
from buildah import Buildah
from repository import COMPONENT, REPOSITORY, toml

DOCKERFILE = (REPOSITORY / "Dockerfile").read_text().replace("\\\n", "")


def copied(folder: Path, ignore: Path) -> Path:
    """The repository without ignored files, as a build stage copies it."""
    # Stand-ins replace .git/ and target/, because a copy of target/ takes minutes.
    clone = folder / "clone"
    shutil.copytree(REPOSITORY, clone, ignore=shutil.ignore_patterns(".git", "target"))
    for name in (".git", "target"):
        (clone / name).mkdir()
        (clone / name / "stand-in").touch()
    (folder / "buildah").mkdir()
    buildah = Buildah(folder / "buildah")
    dockerfile = folder / "Dockerfile"
    dockerfile.write_text("FROM scratch\nCOPY . /swiss/\n")
    name = buildah.build(clone, f"--file={dockerfile}", f"--ignorefile={ignore}")
    oci.read_layout(buildah.layout(name)).unpack(folder)
    return folder / "swiss"


@pytest.fixture(scope="module")
def context(tmp_path_factory):
    return copied(tmp_path_factory.mktemp("context"), REPOSITORY / ".dockerignore")


def test_the_rust_image_has_the_toolchains_version():
    [tag] = re.findall(r"^FROM .*\brust:(\S+) AS build$", DOCKERFILE, re.MULTILINE)
    version = toml("rust-toolchain.toml")["toolchain"]["channel"]
    assert tag == f"{version}-slim-bookworm"
    assert version.startswith(toml("Cargo.toml")["workspace"]["package"]["rust-version"] + ".")


def test_the_build_stage_gets_only_the_sources(context):
    for path in (".git", "target", "chart", "rust-toolchain.toml"):
        assert not (context / path).exists(), path
    for path in ("Cargo.lock", "Cargo.toml", "src", "wit"):
        assert (context / path).exists(), path


def test_the_build_stage_builds_the_component(context, tmp_path):
    """Runs the stage's command, with the compiled build tool, on the stage's sources."""
    [command] = re.findall(r"^RUN (.*)$", DOCKERFILE, re.MULTILINE)
    cargo, _, arguments = command.partition(" -- ")
    assert shlex.split(cargo) == shlex.split("cargo run --release --locked --package swiss-build")
    option, output = shlex.split(arguments)
    assert re.search(rf"^COPY .*--from=build {output} ", DOCKERFILE, re.MULTILINE)

    # This copy uses the dependencies that cargo has already compiled.
    (context / "target").symlink_to(COMPONENT.parent)
    made = tmp_path / "swiss.wasm"
    version = toml("rust-toolchain.toml")["toolchain"]["channel"]
    # The stage has no rust-toolchain.toml, so the image sets the version.
    build = subprocess.run(
        [REPOSITORY / "target/release/swiss-build", option, made],
        cwd=context,
        env=os.environ | {"RUSTUP_TOOLCHAIN": version},
        capture_output=True,
        text=True,
    )
    assert build.returncode == 0, f"{command} failed:\n{build.stdout}{build.stderr}"
    assert made.read_bytes() == COMPONENT.read_bytes()


def test_the_stage_of_the_node_installer_gets_the_whole_workspace(tmp_path):
    """Cargo fails if a member of the workspace is missing."""
    ignore = REPOSITORY / "runtime-class/Dockerfile.dockerignore"
    stage = copied(tmp_path, ignore)
    for path in (".git", "target", "chart", "rust-toolchain.toml"):
        assert not (stage / path).exists(), path
    command = "cargo metadata --format-version=1 --locked --offline"
    cargo = subprocess.run(command.split(), cwd=stage, capture_output=True, text=True)
    assert cargo.returncode == 0, cargo.stderr
    assert '"name":"swiss-node-installer"' in cargo.stdout


def test_buildkit_creates_no_folder_that_the_user_cannot_enter():
    """BuildKit gives the mode to folders that it creates, where buildah gives 755."""
    for instruction in DOCKERFILE.splitlines():
        if instruction.startswith("COPY") and (mode := re.search(r"--chmod=(\d+)", instruction)):
            into_a_folder = instruction.split()[-1] != "/"
            assert not into_a_folder or int(mode[1], 8) & 0o111 == 0o111, instruction
