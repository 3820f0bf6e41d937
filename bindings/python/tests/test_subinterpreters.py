"""What becomes of the package in another interpreter of the same process.

Where interpreters share their lock it works. From Python 3.12 on there are those with a lock of their own, and the
import refuses them: cffi's modules are not made for it.
"""

from __future__ import annotations

import subprocess
import sys

import pytest

#: Makes an interpreter, in which it imports the package and asks; then looks whether the first one is as before.
PROGRAM = """
import sys
try:
    import _interpreters as interpreters
    make = lambda: interpreters.create(sys.argv[1])
    run = interpreters.exec
except ImportError:
    import _xxsubinterpreters as interpreters
    make = lambda: interpreters.create(isolated=sys.argv[1] == "isolated")
    run = interpreters.run_string

import pychatnio

ASK = '''
import sys
sys.path[:] = {path!r}
try:
    import pychatnio
except ImportError as error:
    print("refused:", error, flush=True)
else:
    session = pychatnio.Session("sk-x", now=1)
    session.request(pychatnio.Request.chat("hi"), now=1)
    session.next_message()
    print("sent:", session.next_message())
    try:
        pychatnio.Session("", now=1)
    except pychatnio.InvalidArgumentError as error:
        print("raised:", error.status.name)
    end = session.receive('{{"message":"x","quota":1,"end":true}}', now=1)
    print("ended:", end.answer.text, flush=True)
'''.format(path=sys.path)

mine = pychatnio.Session("sk-y", now=1)
for _ in range(3):
    interpreter = make()
    run(interpreter, ASK)
    interpreters.destroy(interpreter)
    mine.request(pychatnio.Request.chat("hi"), now=1)
    mine.receive('{"message":"x","quota":1,"end":true}', now=1)
print("first:", mine.state.name)
"""

WORKS = ['sent: {"type":"chat","message":"hi"}', "raised: EMPTY_TOKEN", "ended: x"]
REFUSED = ["refused: module pychatnio._native does not support loading in subinterpreters"]


@pytest.mark.parametrize("kind", ["legacy", "isolated"])
def test_in_another_interpreter(kind: str) -> None:
    done = subprocess.run(
        [sys.executable, "-X", "dev", "-c", PROGRAM, kind], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.stderr == ""
    assert done.returncode == 0
    has_own_lock = kind == "isolated" and sys.version_info >= (3, 12)
    assert done.stdout.splitlines() == (REFUSED if has_own_lock else WORKS) * 3 + ["first: IDLE"]


REFUSAL = """
import sys

before = set(sys.modules)
# As where the import is refused.
sys.modules["pychatnio._native"] = None
try:
    import pychatnio
except ImportError:
    print(*{"_asyncio", "_datetime", "_decimal", "_socket", "_ssl"} & (sys.modules.keys() - before))
"""


def test_the_refusal_comes_before_other_modules_are_imported() -> None:
    # CPython 3.12 may abort when modules of its own are refused, too, for one interpreter after the other.
    done = subprocess.run([sys.executable, "-c", REFUSAL], capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "\n", "")
