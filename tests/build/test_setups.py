"""`make build` works wherever Cargo and the machine are set up otherwise."""

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from repository import REPOSITORY, copy_tracked
from verbs import link_tools, make, run, serving

HOST = subprocess.run(
    ["rustc", "--print", "host-tuple"], capture_output=True, text=True, check=True
).stdout.strip()
HOME = Path.home()


@pytest.fixture(scope="module", autouse=True)
def built():
    make("build")


def test_the_environment_names_a_target():
    assert "target/swiss.wasm" in make("build", CARGO_BUILD_TARGET=HOST)


@pytest.mark.parametrize(
    "target", [f'"{HOST}"', '"host-tuple"', '"wasm32-wasip1"', f'["{HOST}", "wasm32-wasip1"]']
)
def test_a_configuration_file_names_a_target(target, tmp_path):
    """With two crates of a line each, because Cargo compiles everything again for it."""
    copy_tracked(tmp_path, "Makefile", "*.mk", "*.sh", "tests/*/package.json", "tests/go/go.mod")
    (tmp_path / "Cargo.toml").write_text('[workspace]\nmembers = ["a", "b"]\nresolver = "3"\n')
    for folder, name in [("a", "swiss-build"), ("b", "swiss-host")]:
        (tmp_path / folder / "src").mkdir(parents=True)
        (tmp_path / folder / "Cargo.toml").write_text(
            f'[package]\nname = "{name}"\nversion = "0.1.0"\nedition = "2024"\n'
        )
        (tmp_path / folder / "src/main.rs").write_text(f'fn main() {{ println!("{name} ran"); }}')
    (tmp_path / ".cargo").mkdir()
    (tmp_path / ".cargo/config.toml").write_text(f"[build]\ntarget = {target}\n")
    subprocess.run(["cargo", "generate-lockfile", "--offline"], cwd=tmp_path, check=True)
    assert "swiss-build ran" in make("build", folder=tmp_path)
    assert (tmp_path / "target/release/swiss-host").exists()


def test_rustc_has_a_wrapper(tmp_path):
    wrapper, calls = tmp_path / "wrapper", tmp_path / "calls"
    wrapper.write_text(f'#!/bin/sh\necho "$@" >>"{calls}"\nexec "$@"\n')
    wrapper.chmod(0o755)
    output = make("build", RUSTC_WRAPPER=str(wrapper))
    assert "target/swiss.wasm" in output
    assert "rustc" in calls.read_text()


@pytest.mark.parametrize("verb", ["help", "build"])
def test_the_home_folder_has_a_space(verb, tmp_path):
    home = tmp_path / "a b"
    home.mkdir()
    # Rust is where it was.
    rust = {
        "CARGO_HOME": os.environ.get("CARGO_HOME", str(HOME / ".cargo")),
        "RUSTUP_HOME": os.environ.get("RUSTUP_HOME", str(HOME / ".rustup")),
    }
    output = make(verb, without=["XDG_CACHE_HOME"], HOME=str(home), **rust)
    assert "warning" not in output and "build" in output


@pytest.mark.parametrize("verb", ["help", "build"])
def test_there_is_no_home_folder(verb):
    output = make(verb, without=["HOME", "XDG_CACHE_HOME"])
    assert "warning" not in output and "build" in output


def test_help_needs_only_make_and_the_standard_tools(tmp_path):
    """Among others, macOS has no sha256sum."""
    for tool in ["awk", "bash", "cksum", "grep", "head", "make", "sed", "sh"]:
        (tmp_path / tool).symlink_to(shutil.which(tool))
    output = make("help", PATH=str(tmp_path))
    assert "build" in output and "warning" not in output


@pytest.fixture
def without_gnu(tmp_path):
    """A PATH whose standard tools are busybox's, and that has no sha256sum."""
    busybox = os.environ.get("BUSYBOX", "")
    if not Path(busybox).is_file():
        pytest.skip("needs BUSYBOX, as `make test-build` sets it")
    path = link_tools(tmp_path / "bin", "sha256sum", "md5sum", "busybox")
    listed = subprocess.run([busybox, "--list"], capture_output=True, text=True, check=True)
    # The C compiler needs an ar that writes archives of objects.
    for applet in set(listed.stdout.split()) - {"ar", "bash", "sha256sum", "md5sum"}:
        (tmp_path / "bin" / applet).unlink(missing_ok=True)
        (tmp_path / "bin" / applet).symlink_to(busybox)
    return path


@pytest.mark.parametrize("verb", ["help", "doctor", "build"])
def test_the_standard_tools_are_not_gnus(verb, without_gnu):
    output = make(verb, "VERBS=build up push", PATH=without_gnu)
    expected = {"help": "Build the component", "doctor": "ready: make push"}
    assert expected.get(verb, "target/swiss.wasm: ") in output
    assert "unrecognized" not in output and "not found" not in output


@pytest.mark.parametrize("command", ["false | true", "false; true", "echo $$undefined"])
def test_a_command_that_fails_stops_a_recipe_of_make_3_81(command):
    """make 3.81 ignores .SHELLFLAGS and has -c there."""
    rule = f"--eval=fails: ; @{command}"
    assert run(rule, ".SHELLFLAGS=-c", "fails").returncode == 2


@pytest.mark.parametrize("verb", ["build", "up"])
def test_the_checkout_has_a_space_and_a_quote(verb, tmp_path):
    """With the target folder of this one, so that little is compiled."""
    checkout = tmp_path / "a b's"
    checkout.mkdir()
    copy_tracked(checkout)
    (checkout / "target").symlink_to(REPOSITORY / "target")
    if verb == "build":
        assert "target/swiss.wasm: " in make("build", folder=checkout)
        return
    with serving("PORT=0", folder=checkout) as (lines, _):
        assert "exec target/release/swiss-host --listen 127.0.0.1:0\n" in lines


def test_an_error_in_a_manifest_gets_no_other_advice(tmp_path):
    copy_tracked(tmp_path, "Makefile", "*.mk", "*.sh", "tests/*/package.json", "tests/go/go.mod")
    (tmp_path / "Cargo.toml").write_text("[workspace\n")
    failed = subprocess.run(["make", "build"], cwd=tmp_path, capture_output=True, text=True)
    assert failed.returncode != 0
    assert "Cargo.toml" in failed.stderr and "cargo update" not in failed.stderr


def test_a_dependency_that_is_not_locked_gets_the_command_that_locks_it(tmp_path):
    copy_tracked(tmp_path)
    manifest = tmp_path / "Cargo.toml"
    text = manifest.read_text()
    # A crate that Cargo.lock has already, so that this test needs no network.
    manifest.write_text(text.replace("\n[dependencies]\n", '\n[dependencies]\nsemver = "1"\n'))
    before = (tmp_path / "Cargo.lock").read_text()
    failed = subprocess.run(["make", "build"], cwd=tmp_path, capture_output=True, text=True)
    assert failed.returncode != 0
    (command,) = re.findall("error: Cargo.lock does not have .* run `(.*)`", failed.stderr)
    subprocess.run([*command.split(), "--offline"], cwd=tmp_path, check=True)
    after = (tmp_path / "Cargo.lock").read_text()
    added = set(after.splitlines()) - set(before.splitlines())
    assert added == {' "semver",'} - set(before.splitlines()), "no other crate changes"
    assert after.count('"semver"') == before.count('"semver"') + 1
