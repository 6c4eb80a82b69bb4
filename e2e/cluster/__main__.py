"""python -m cluster up | down | run COMMAND... | client COMMAND..."""

import sys

from . import layout, lifecycle, wait

USAGE = __doc__


def main(arguments: list[str]) -> int:
    match arguments:
        case ["up"]:
            lifecycle.up()
        case ["down"]:
            lifecycle.down()
        case ["run", *command] if command:
            return lifecycle.run(command)
        case ["client", *command] if command:
            enter = ["nsenter", f"--net=/run/netns/{layout.CLIENT}"]
            return lifecycle.run([*enter, *command])
        case _:
            print(f"usage: {USAGE}", file=sys.stderr)
            return 2
    return 0


try:
    sys.exit(main(sys.argv[1:]))
except (lifecycle.Refusal, wait.TooLate) as reason:
    sys.exit(str(reason))
