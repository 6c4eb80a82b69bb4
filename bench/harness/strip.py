"""Copies a component without its custom sections (names, producers), at all levels.

The product's build strips them too, so the two sizes are comparable.
"""

import sys
from pathlib import Path

_CUSTOM, _CORE_MODULE, _COMPONENT = 0, 1, 4
_CORE_VERSION = b"\x01\x00\x00\x00"


def stripped(binary: bytes) -> bytes:
    """`binary` is a component or a core module; its version field tells which."""
    is_core = binary[4:8] == _CORE_VERSION
    kept, at = bytearray(binary[:8]), 8
    while at < len(binary):
        identifier = binary[at]
        size, start = _number(binary, at + 1)
        at = start + size
        if identifier == _CUSTOM:
            continue
        content = binary[start:at]
        if not is_core and identifier in (_CORE_MODULE, _COMPONENT):
            content = stripped(content)
        kept += bytes([identifier]) + _leb128(len(content)) + content
    return bytes(kept)


def _number(binary: bytes, at: int) -> tuple[int, int]:
    """The unsigned LEB128 number at `at`, and where it ends."""
    value = shift = 0
    while True:
        byte = binary[at]
        at += 1
        value |= (byte & 0x7F) << shift
        shift += 7
        if byte < 0x80:
            return value, at


def _leb128(value: int) -> bytes:
    encoded = bytearray()
    while value >= 0x80:
        encoded.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*encoded, value])


if __name__ == "__main__":
    source, target = map(Path, sys.argv[1:])
    target.write_bytes(stripped(source.read_bytes()))
