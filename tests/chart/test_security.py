"""What the pod may do with each image.packaging, as measured with the real shim."""

import pytest

from helm import container, manifests, only, pod

HARDENED = ("component", "container")


def packaging(name: str) -> dict:
    return {"image": {"packaging": name}}


@pytest.mark.parametrize("name", ["spin", *HARDENED])
def test_every_packaging_keeps_one_capability_and_the_default_seccomp_profile(name):
    context = container(packaging(name))["securityContext"]
    assert context["allowPrivilegeEscalation"] is False
    # With `drop: [ALL]` alone, the shim grants every capability.
    assert context["capabilities"] == {"drop": ["ALL"], "add": ["NET_BIND_SERVICE"]}
    assert pod(packaging(name))["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}


def test_a_spin_artifact_is_unpacked_by_root_into_a_writable_root_directory():
    assert pod(packaging("spin"))["securityContext"]["runAsUser"] == 0
    assert "readOnlyRootFilesystem" not in container(packaging("spin"))["securityContext"]
    assert "volumes" not in pod(packaging("spin"))
    assert "volumeMounts" not in container(packaging("spin"))


@pytest.mark.parametrize("name", HARDENED)
def test_the_other_packagings_need_neither_root_nor_a_writable_root_directory(name):
    identity = {"runAsNonRoot": True, "runAsUser": 65532, "runAsGroup": 65532, "fsGroup": 65532}
    assert identity.items() <= pod(packaging(name))["securityContext"].items()
    assert container(packaging(name))["securityContext"]["readOnlyRootFilesystem"] is True
    mounts = {m["mountPath"]: m["name"] for m in container(packaging(name))["volumeMounts"]}
    assert mounts == {"/.cache": "cache", "/.spin": "spin"}
    volumes = pod(packaging(name))["volumes"]
    assert volumes == [
        {"name": name, "emptyDir": {"sizeLimit": "64Mi"}} for name in ("cache", "spin")
    ]


@pytest.mark.parametrize("name", HARDENED)
def test_the_other_packagings_comply_with_pod_security_restricted(name):
    """The rules of the Pod Security Standard `restricted`, version 1.36."""
    spec = pod(packaging(name))
    assert not {"hostNetwork", "hostPID", "hostIPC"} & spec.keys()
    assert all(volume.keys() <= {"name", "emptyDir"} for volume in spec["volumes"])
    assert spec["securityContext"]["runAsNonRoot"] is True
    assert spec["securityContext"]["runAsUser"] != 0
    assert spec["securityContext"]["seccompProfile"]["type"] == "RuntimeDefault"
    for app in spec["containers"]:
        context = app["securityContext"]
        assert "privileged" not in context
        assert context["allowPrivilegeEscalation"] is False
        assert "ALL" in context["capabilities"]["drop"]
        assert set(context["capabilities"]["add"]) <= {"NET_BIND_SERVICE"}


@pytest.mark.parametrize("kind", ["Deployment", "ServiceAccount"])
def test_no_pod_gets_a_token(kind):
    manifest = only(kind, {})
    place = pod({}) if kind == "Deployment" else manifest
    assert place["automountServiceAccountToken"] is False


def test_the_cpu_limit_gives_the_shim_one_worker():
    """Rust's available_parallelism, which the shim's workers follow, rounds the limit down."""
    resources = container({})["resources"]
    assert resources["limits"].keys() == resources["requests"].keys() == {"cpu", "memory"}
    assert 1000 <= int(resources["limits"]["cpu"].removesuffix("m")) < 2000
    unlimited = container({"resources": {"limits": {"cpu": None}}})["resources"]
    assert unlimited["limits"].keys() == {"memory"}


def test_a_custom_security_context_replaces_the_whole_default():
    values = {"podSecurityContext": {"runAsUser": 0}, "securityContext": {"privileged": False}}
    assert pod(values)["securityContext"] == {"runAsUser": 0}
    assert container(values)["securityContext"] == {"privileged": False}


def test_the_chart_has_no_secret():
    assert "Secret" not in {manifest["kind"] for manifest in manifests({})}
