"""What the node installer needs of systemd, which is not here: `systemctl restart
containerd`, from within a container that has the node's root and no more."""

import os
from collections.abc import Callable
from pathlib import Path

# Who may write to it is root on the node, as with systemd's own socket.
_REQUESTS = Path("/run/restart")

_SYSTEMCTL = f"""#!/bin/sh
if [ "$#" = 2 ] && [ "$1" = restart ]; then
  echo "$2" >{_REQUESTS}
else
  echo "this node's systemctl knows only: restart UNIT" >&2
  exit 1
fi
"""


def write() -> None:
    os.mkfifo(_REQUESTS, 0o600)
    systemctl = Path("/usr/bin/systemctl")
    # On many machines it is a link.
    systemctl.unlink(missing_ok=True)
    systemctl.write_text(_SYSTEMCTL)
    systemctl.chmod(0o755)


def serve(restart: Callable[[str], None]) -> None:
    # Open for writing, too, so that it does not end with the first writer.
    with os.fdopen(os.open(_REQUESTS, os.O_RDWR), "r") as requests:
        for unit in requests:
            restart(unit.strip().removesuffix(".service"))
