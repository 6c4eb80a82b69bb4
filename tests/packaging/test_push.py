"""`make push` to a real registry, with the credentials of docker's configuration."""

import base64
import json
import os
import re
import socket
import subprocess

import pytest

from relay import DisconnectingRelay
from repository import REPOSITORY

LOGIN = base64.b64encode(b"user:secret").decode()


def test_make_push_prints_the_digest_and_how_to_install_it(registry):
    image = f"{registry.address}/project/swiss"
    pushed = make("push", f"IMAGE={image}:v1")
    assert pushed.returncode == 0, pushed.stderr
    artifact = registry.pull("project/swiss", "v1")
    assert pushed.stdout.endswith(
        f"""Pushed {image}:v1
{image}@{artifact.digest}

Install it with
  helm install k8s ./chart \\
    --set image.repository={image} \\
    --set image.digest={artifact.digest} \\
    --set image.packaging=component
"""
    )
    assert f"{artifact.size} bytes  in all, that a node pulls" in pushed.stdout


def test_make_push_without_an_image_says_what_is_missing():
    pushed = make("push")
    assert pushed.returncode != 0
    assert "IMAGE is not set: make push IMAGE=gcr.io/my-project/swiss:v1" in pushed.stderr


def make(*arguments: str, **environment: str) -> subprocess.CompletedProcess:
    # The variables of the make that runs these tests must not reach this one.
    inherited = {name: value for name, value in os.environ.items() if "MAKE" not in name}
    return subprocess.run(
        ["make", *arguments],
        cwd=REPOSITORY,
        env=inherited | environment,
        capture_output=True,
        text=True,
    )


def test_the_default_tag_is_the_applications_version(push, fresh_registry):
    assert push(f"{fresh_registry.address}/swiss").returncode == 0
    assert fresh_registry.tags("swiss") == ["0.1.0"]


def test_a_tag_with_other_content_is_replaced_only_when_forced(push, fresh_registry):
    image = f"{fresh_registry.address}/swiss:v1"
    assert push(image, SOURCE_DATE_EPOCH="1").returncode == 0
    old = fresh_registry.pull("swiss", "v1").digest
    # A second push of the same content replaces nothing.
    assert push(image, SOURCE_DATE_EPOCH="1").returncode == 0

    refused = push(image, SOURCE_DATE_EPOCH="2")
    assert (refused.returncode, refused.stderr) == (
        1,
        f"error: {image} is there already, with the digest {old}: "
        "take another tag, or replace it with FORCE=1\n",
    )
    assert fresh_registry.pull("swiss", "v1").digest == old

    assert push("--force", image, SOURCE_DATE_EPOCH="2").returncode == 0
    assert fresh_registry.pull("swiss", "v1").digest != old


@pytest.mark.parametrize(
    "name", ["gcr.io/Project/swiss", "https://gcr.io/project/swiss", "swiss:v1@sha256:" + "5" * 64]
)
def test_an_invalid_image_name_is_refused(push, name):
    refused = push(name)
    assert refused.returncode == 1
    assert re.fullmatch(rf"error: IMAGE={re.escape(name)} .*\n", refused.stderr)


def test_the_error_without_a_login_has_the_login_command(push, closed_registry):
    refused = push(f"{closed_registry.address}/swiss:v1")
    assert (refused.returncode, refused.stderr) == (
        1,
        f"error: {closed_registry.address} wants to know who pushes to "
        f"{closed_registry.address}/swiss, and docker's configuration has no credential for it: "
        f"run `docker login {closed_registry.address}`\n",
    )
    assert closed_registry.tags("swiss") == []


def test_dockers_login_is_used(push, closed_registry):
    login = {"auths": {closed_registry.address: {"auth": LOGIN}}}
    pushed = push(f"{closed_registry.address}/swiss:v1", credentials=login)
    assert (pushed.returncode, pushed.stderr) == (0, "")
    assert closed_registry.tags("swiss") == ["v1"]


def test_the_error_for_a_wrong_password_has_the_login_command(push, closed_registry):
    login = {"auths": {closed_registry.address: {"auth": base64.b64encode(b"user:wrong").decode()}}}
    refused = push(f"{closed_registry.address}/swiss:v1", credentials=login)
    assert refused.stderr == (
        f"error: {closed_registry.address} does not let you push to "
        f"{closed_registry.address}/swiss: ask for the right to write, or log in anew with "
        f"`docker login {closed_registry.address}`\n"
    )


def test_a_credential_helper_is_used(push, closed_registry, tmp_path):
    # As `gcloud auth configure-docker` sets it up.
    helper = tmp_path / "docker-credential-test"
    answer = json.dumps({"ServerURL": "", "Username": "user", "Secret": "secret"})
    helper.write_text(
        f"#!/bin/sh\n[ \"$1\" = get ] && cat > '{tmp_path}/asked' && echo '{answer}'\n"
    )
    helper.chmod(0o755)
    pushed = push(
        f"{closed_registry.address}/swiss:v1",
        credentials={"credHelpers": {closed_registry.address: "test"}},
        PATH=f"{tmp_path}:{os.environ['PATH']}",
    )
    assert (pushed.returncode, pushed.stderr) == (0, "")
    assert (tmp_path / "asked").read_text().strip() == closed_registry.address


def test_the_error_for_a_missing_credential_helper_has_the_login_command(push, closed_registry):
    refused = push(
        f"{closed_registry.address}/swiss:v1",
        credentials={"credHelpers": {closed_registry.address: "nowhere"}},
    )
    assert refused.returncode == 1
    assert "docker's configuration has no usable credential" in refused.stderr
    assert f"run `docker login {closed_registry.address}`" in refused.stderr


def test_an_unreachable_registry_is_named(push):
    with socket.create_server(("127.0.0.1", 0)) as unused:
        address = "{}:{}".format(*unused.getsockname())
    refused = push(f"{address}/swiss:v1")
    assert refused.returncode == 1
    assert refused.stderr.startswith(
        f"error: {address} did not take {address}/swiss; nothing was tagged: "
    )
    assert "Connection refused" in refused.stderr


@pytest.mark.parametrize(
    "request_line", ["POST ", "PUT /v2/swiss/blobs", "PUT /v2/swiss/manifests"]
)
def test_a_registry_that_disconnects_has_no_tag(push, fresh_registry, request_line):
    with DisconnectingRelay(fresh_registry.address, request_line.encode()) as relay:
        refused = push(f"{relay.address}/swiss:v1")
        assert relay.disconnected
        assert refused.returncode == 1
        assert refused.stderr.startswith(
            f"error: {relay.address} did not take {relay.address}/swiss; nothing was tagged: "
        )
    assert fresh_registry.tags("swiss") == []


@pytest.mark.parametrize("write", [b"POST ", b"PUT "])
def test_what_is_there_already_is_not_uploaded_again(push, fresh_registry, write):
    assert push(f"{fresh_registry.address}/swiss:v1").returncode == 0
    digest = fresh_registry.pull("swiss", "v1").digest
    with DisconnectingRelay(fresh_registry.address, write) as relay:
        image = f"{relay.address}/swiss"
        again = push("--force", f"{image}:v1")
        assert (again.returncode, again.stderr) == (0, "")
        assert not relay.disconnected
    assert f"\n{image}:v1 is there already\n{image}@{digest}\n\nInstall it with\n" in again.stdout


def test_an_ipv6_address_is_a_registry(push):
    # Nobody listens there, so the error has the address that was asked.
    refused = push("[::1]:1/swiss:v1")
    assert refused.stderr.startswith(
        "error: [::1]:1 did not take [::1]:1/swiss; nothing was tagged"
    )


def test_spin_pushes_what_only_spin_reads(push, fresh_registry, tmp_path):
    """Stands in for the command line of Spin alone: the manifest is Spin's to judge."""
    spin = tmp_path / "spin"
    spin.write_text(
        f"#!/bin/sh\nprintf '%s\\n' \"$@\" > '{tmp_path}/arguments'\necho sha256:{'5' * 64}\n"
    )
    spin.chmod(0o755)
    manifest = tmp_path / "spin.toml"
    for text, annotated in (
        (
            'spin_manifest_version = 2\n[application]\nname = "shop"\nversion = "1.2.3"\n'
            '[application.trigger.redis]\naddress = "redis://127.0.0.1"\n[variables]\n'
            'key = { required = true }\n[component.shop]\nsource = "shop.wasm"\n'
            'key_value_stores = ["default"]\n',
            {"title=shop", "version=1.2.3"},
        ),
        ('spin_manifest_version = "1"\nname = "shop"\nversion = "1.2.3"\n', {"title=shop"}),
        ("not a manifest", set()),
    ):
        manifest.write_text(text)
        image = f"{fresh_registry.address}/shop"
        pushed = push("--spin", spin, "--format", "spin", "--from", manifest, image)
        assert (pushed.returncode, pushed.stderr) == (0, "")
        asked = (tmp_path / "arguments").read_text().splitlines()
        assert {f"org.opencontainers.image.{each}" for each in annotated} <= set(asked)
        assert not [each for each in asked if "licenses" in each]
        assert asked[-1] == f"{image}:1.2.3" if annotated else f"{image}:latest"


def test_spin_pushes_a_spin_artifact(push, fresh_registry, tmp_path):
    image = f"{fresh_registry.address}/swiss"
    digest = "sha256:" + "5" * 64
    spin = tmp_path / "spin"
    spin.write_text(
        f"""#!/bin/sh
printf '%s\\n' "$@" > '{tmp_path}/arguments'
echo 'Pushed with digest {digest}'
"""
    )
    spin.chmod(0o755)
    arguments = ("--spin", spin, "--format", "spin", f"{image}:v1")
    pushed = push(*arguments, SOURCE_DATE_EPOCH="1767225600")
    assert (pushed.returncode, pushed.stderr) == (0, "")
    assert f"--set image.digest={digest} \\\n    --set image.packaging=spin\n" in pushed.stdout
    asked = (tmp_path / "arguments").read_text().splitlines()
    assert asked[:4] == ["registry", "push", "--from", "spin.toml"]
    assert "org.opencontainers.image.created=2026-01-01T00:00:00Z" in asked
    assert asked[-2:] == ["--insecure", f"{image}:v1"]

    # Spin does not push a component artifact, and this stand-in for Spin pushes nothing.
    assert push("--spin", spin, f"{image}:v1").returncode == 0
    assert fresh_registry.tags("swiss") == ["v1"]
    refused = push(*arguments)
    assert refused.returncode == 1
    assert refused.stderr.startswith(f"error: {image}:v1 is there already, with the digest sha256:")


def test_spin_may_have_a_login_of_its_own(push, closed_registry, tmp_path):
    spin = tmp_path / "spin"
    spin.write_text(f"#!/bin/sh\necho sha256:{'5' * 64}\n")
    spin.chmod(0o755)
    arguments = ("--spin", spin, "--format", "spin", f"{closed_registry.address}/swiss:v1")
    assert "wants to know who pushes" in push(*arguments).stderr
    pushed = push("--force", *arguments)
    assert (pushed.returncode, pushed.stderr) == (0, "")


def test_a_failure_of_spin_is_reported(push, registry):
    refused = push("--spin", "false", "--format", "spin", f"{registry.address}/swiss:failed")
    assert (refused.returncode, refused.stderr) == (
        1,
        f"error: Spin could not push {registry.address}/swiss:failed (its message is above)\n",
    )
