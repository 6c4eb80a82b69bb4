"""`make up` from its start to an answer."""

import json
import shlex
import socket
import urllib.request

from verbs import serving


def test_make_up_ends_with_a_command_that_is_answered():
    # No program listens on this port of 127.0.0.1, and another one does so on that of ::1.
    with socket.create_server(("::1", 0), family=socket.AF_INET6) as other:
        port = other.getsockname()[1]
        with serving(f"PORT={port}", "ACCESS_LOG=1") as (lines, process):
            (step,) = [line for line in lines if line.startswith("[3/3]")]
            program, address = shlex.split(step.partition("In another terminal: ")[2])
            assert (program, address) == ("curl", f"127.0.0.1:{port}/will")
            (note,) = [line for line in lines if line.startswith("note:")]
            assert f"another program listens on [::1]:{port}" in note and "127.0.0.1" in note
            with urllib.request.urlopen(f"http://{address}", timeout=10) as response:
                assert response.read() == b'"Hello World"\n'
            logged = json.loads(process.stdout.readline())
            assert (logged["target"], logged["status"]) == ("/will", 200)


def test_nothing_is_noted_where_no_other_program_listens():
    with serving("PORT=0") as (lines, _):
        assert not [line for line in lines if line.startswith("note:")]
