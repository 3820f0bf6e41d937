"""`python -m pychatnio`: the program `chatnio`."""

from __future__ import annotations

import os
import subprocess
import sys

from .loopback import program


def main() -> int:
    """Becomes the program, with this process's arguments."""
    command = [str(program()), *sys.argv[1:]]
    if os.name == "posix":
        os.execv(command[0], command)
    return subprocess.call(command)


if __name__ == "__main__":
    sys.exit(main())
