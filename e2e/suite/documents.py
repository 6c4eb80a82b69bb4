"""The commands in README, which a user follows to deploy."""

import re
import shlex
from dataclasses import dataclass

from .commands import REPOSITORY

_TEXT = (REPOSITORY / "README.md").read_text()


@dataclass(frozen=True)
class Command:
    words: tuple[str, ...]
    # The lines that the document shows below the command; `...` stands for any.
    output: tuple[str, ...] = ()


def blocks() -> list[list[Command]]:
    """The commands of each console block."""
    return [_commands(each) for each in re.findall(r"^```console\n(.*?)^```", _TEXT, re.M | re.S)]


def _commands(block: str) -> list[Command]:
    # Each part begins with a command. Its line goes on after a backslash.
    parts = re.split(r"^\$ ", block, flags=re.M)[1:]
    return [command(each) for each in parts]


def command(text: str) -> Command:
    line, *output = text.replace("\\\n", " ").splitlines()
    return Command(tuple(shlex.split(line)), tuple(output))


def in_prose(start: str) -> list[Command]:
    """The commands in the text, between backquotes, that begin with `start`."""
    return [command(each) for each in re.findall(rf"(?<!`)`({re.escape(start)} [^`]+)`", _TEXT)]
