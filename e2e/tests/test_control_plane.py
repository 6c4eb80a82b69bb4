"""The control plane of these tests starts although others take its ports."""

import socket

import pytest

import control_plane


@pytest.fixture
def taken(monkeypatch):
    """Takes those ports, by their order, that the control plane finds free."""
    find = control_plane._free_port
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]

        def take(*which: int):
            found = iter(range(100))
            monkeypatch.setattr(
                control_plane, "_free_port", lambda: port if next(found) in which else find()
            )

        yield take


@pytest.mark.parametrize("which", [0, 2], ids=["etcd", "kube-apiserver"])
def test_it_starts_with_other_ports_if_one_is_taken(taken, tmp_path, which):
    taken(which)
    with control_plane.control_plane(tmp_path) as cluster:
        assert "kube-system" in cluster.kubectl("get", "namespaces")
    assert cluster.folder.name == "1"


def test_it_says_at_once_which_program_ended_and_why(taken, tmp_path):
    taken(*range(100))
    with (
        pytest.raises(
            control_plane.Ended, match=r"(?s)etcd ended with 1\..*address already in use"
        ),
        control_plane.control_plane(tmp_path),
    ):
        pass
    assert len(list(tmp_path.iterdir())) == control_plane.ATTEMPTS
