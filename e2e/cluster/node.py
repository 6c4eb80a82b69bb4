"""The first process of a node's namespaces: it starts the other processes and reaps them.
The first node also starts the second, which shares its PID namespace and ends with it."""

import json
import os
import signal
import subprocess
import sys
import threading
import time
import urllib.request
from functools import partial
from pathlib import Path

from . import addresses, images, layout
from .api import Api
from .components import COMPONENTS, Component
from .namespaces import enter
from .wait import until


class Node:
    def __init__(self):
        self._start = time.monotonic()
        self._times: dict[str, float] = {}
        self._running: dict[int, Component] = {}
        self._is_first = layout.NODE == layout.FIRST
        # A process may end before it is in `_running`.
        self._starting = threading.Lock()

    def run(self) -> None:
        second = _start_second() if self._is_first else None
        enter()
        self._note("namespaces")
        self._start_components(after_api=False)
        tasks = (self._images, self._cluster) if self._is_first else (self._join,)
        for task in tasks:
            threading.Thread(target=task, daemon=True).start()
        while True:
            ended = self._reap()
            if self._is_first and ended == second:
                sys.exit("The second node's first process ended.")

    def _note(self, what: str) -> None:
        self._times[what] = round(time.monotonic() - self._start, 2)

    def _start_components(self, *, after_api: bool) -> None:
        for component in COMPONENTS:
            if component.after_api == after_api and (self._is_first or component.everywhere):
                self._start_component(component)

    def _start_component(self, component: Component) -> None:
        with self._starting, (_logs() / f"{component.name}.log").open("ab") as log:
            process = subprocess.Popen(
                component.command, stdin=subprocess.DEVNULL, stdout=log, stderr=log
            )
            self._running[process.pid] = component

    def _reap(self) -> int | None:
        """Waits for the end of one process, and starts it again if it is a component."""
        try:
            pid, _ = os.waitpid(-1, 0)
        except ChildProcessError:
            time.sleep(0.1)
            return None
        with self._starting:
            component = self._running.pop(pid, None)
        if component:
            time.sleep(0.2)
            self._start_component(component)
        return pid

    def _images(self) -> None:
        until("the registry answers", _registry_answers, seconds=60)
        images.push_all()
        self._note("images")

    def _join(self) -> Api:
        api = Api()
        ready = lambda: api.request("GET", "/readyz")[0] == 200  # noqa: E731
        until("the API server is ready", ready, seconds=120)
        self._note("API server")
        self._start_components(after_api=True)
        return api

    def _cluster(self) -> None:
        api = self._join()
        threading.Thread(target=addresses.serve, daemon=True).start()
        for node in layout.NODES.values():
            is_ready = partial(_is_ready, api, node.name)
            until(f"the node {node.name} is ready", is_ready, seconds=120)
            self._note(f"node {node.name}")
        # Without the default service account no pod can be created.
        account = "/api/v1/namespaces/default/serviceaccounts/default"
        until("the default service account exists", lambda: api.get(account), seconds=60)
        until("the images are pushed", lambda: "images" in self._times, seconds=60)
        self._note("ready for pods")
        layout.TIMES.with_suffix(".new").write_text(json.dumps(self._times))
        layout.TIMES.with_suffix(".new").rename(layout.TIMES)


def _logs() -> Path:
    return layout.LOGS / layout.NODE.name


def _start_second() -> int:
    """Starts the second node in new namespaces. It runs before `enter`, so that they copy
    the machine's and not the first node's."""
    with (layout.LOGS / "second.log").open("wb") as log:
        process = subprocess.Popen(
            ["unshare", "--mount", "--net", "--uts", sys.executable, "-m", "cluster.node"],
            env=os.environ | {"NODE": layout.SECOND.name},
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
        )
    return process.pid


def _registry_answers() -> bool:
    try:
        urllib.request.urlopen(f"http://{layout.IMAGES}/v2/", timeout=5).close()
    except OSError:
        return False
    return True


def _is_ready(api: Api, node: str) -> bool:
    node = api.get(f"/api/v1/nodes/{node}") or {}
    conditions = node.get("status", {}).get("conditions", [])
    return any(each["type"] == "Ready" and each["status"] == "True" for each in conditions)


def _give_up(failure) -> None:
    """Ends the cluster when a thread fails, so that `up` does not wait for its deadline."""
    print(failure.exc_value, file=sys.stderr, flush=True)
    os._exit(1)


if __name__ == "__main__":
    # `down` ends the cluster; Ctrl+C in the terminal does not.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.excepthook = _give_up
    Node().run()
