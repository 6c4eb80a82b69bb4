"""The systemd of a node, which runs containerd. It is a manager of user units, because
the system's manager needs a boot."""

from pathlib import Path

from . import cgroups, layout

# systemd and its clients meet here, as those of the user root do on other machines.
_RUNTIME = Path("/run/user/0")
_FOR_CLIENTS = {
    "XDG_RUNTIME_DIR": str(_RUNTIME),
    "LD_LIBRARY_PATH": layout.libraries(layout.SYSTEMD),
}

# What the node adds to units. The units themselves are those of the packages.
_UNITS = layout.NODE.folder / "units"
_ADDITIONS = {
    # As if the system's manager started the service, but without a journal.
    "service.d/every-service.conf": f"""[Service]
UnsetEnvironment=LD_LIBRARY_PATH SYSTEMD_LOG_TARGET
WorkingDirectory=/
StandardOutput=append:{layout.LOGS}/{layout.NODE.name}/%N.log
""",
    # containerd finds runc's shim in PATH.
    "containerd.service.d/path.conf": f"""[Service]
Environment=PATH={layout.PATH}
""",
}

# Every service inherits these, and machine.py finds it by the node's folder in them.
_FOR_SYSTEMD = _FOR_CLIENTS | {
    "SYSTEMD_UNIT_PATH": f"{_UNITS}:{layout.SYSTEMD}/usr/lib/systemd/user:"
    f"{layout.FORKY}/usr/lib/systemd/system",
    # Nothing of the machine: neither units nor variables.
    "SYSTEMD_GENERATOR_PATH": "",
    "SYSTEMD_ENVIRONMENT_GENERATOR_PATH": "",
    # It would write to the machine's console. `systemctl status` says what happened.
    "SYSTEMD_LOG_TARGET": "null",
}


def command() -> list[str]:
    """Becomes systemd, which starts containerd with the environment of a service at boot."""
    join = "".join(f"echo $$ >{cgroup}/cgroup.procs && " for cgroup in cgroups.of_systemd())
    program = f"{layout.SYSTEMD}/lib/systemd/systemd --user --unit=containerd.service"
    return ["sh", "-c", f"{join}exec env -i {_assignments(_FOR_SYSTEMD)} {program}"]


def write() -> None:
    """Writes the node's unit files, and wrappers with which systemd's clients find it, also
    from a container that has only the node's root file system."""
    _RUNTIME.mkdir(mode=0o700, parents=True)
    # With this folder a program knows that systemd runs.
    Path("/run/systemd/system").mkdir(parents=True)
    for name, content in _ADDITIONS.items():
        file = _UNITS / name
        file.parent.mkdir(parents=True)
        file.write_text(content)
    _wrap("systemctl", layout.SYSTEMD / "bin")
    _wrap("systemd-run", layout.SYSTEMD / "usr/bin")


def _wrap(name: str, folder: Path) -> None:
    file = Path("/usr/bin") / name
    # On many machines the program is a link.
    file.unlink(missing_ok=True)
    program = f"{folder}/{name} --user"
    file.write_text(f'#!/bin/sh\n{_assignments(_FOR_CLIENTS)} exec {program} "$@"\n')
    file.chmod(0o755)


def _assignments(variables: dict[str, str]) -> str:
    return " ".join(f"{name}={value}" for name, value in variables.items())
