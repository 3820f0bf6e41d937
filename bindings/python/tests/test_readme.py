"""Runs every program of the README, as it stands there, against a server on 127.0.0.1."""

from __future__ import annotations

import importlib.metadata
import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest
from support import PATIENCE, PYTHON

import pychatnio
from pychatnio import End, Loopback, Transcript

README = Path(__file__).resolve().parents[1] / "README.md"
TRANSCRIPTS = README.parents[2] / "transcripts"

SAMPLES = re.findall(r"^```python\n(.*?)^```$", README.read_text(encoding="utf-8"), flags=re.M | re.S)

#: What each of them says, in their order.
SAID = [
    "Hello! This is the loopback server",
    "Hello! This is the loopback server",
    "Hello! This is the loopback server",
    "Hello! This is the loopback server",
    "Hello! This is the loopback server",
    "Hello! This is the loopback server",
    r"\d+(\.\d+)? left\n",
    r"“hi”\ncomplete, quota 0\.\d+\nHello! .*“And in short\?”\nHello! +0\.\d+ None\n",
    r"Hello! .*\n(resumed|replaced)\n$",
    r"Hello! This is \nstopped, quota 0\.\d+: 'Hello! This is .*'\n",
    "Hello! This is the loopback server",
    "Hello! This is the loopback server",
    "^$",
    "3 passed",
]

#: Runs a file as a notebook would a cell, whose loop runs already.
CELL = """
import ast, asyncio, inspect, pathlib, sys
sample = pathlib.Path(sys.argv[1]).read_text(encoding="utf-8")
code = compile(sample, "README.md", "exec", ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
result = eval(code, {"__name__": "__main__"})
if inspect.iscoroutine(result):
    asyncio.run(result)
"""


def run(folder: Path, sample: str, server: str) -> str:
    """What a sample prints, with `server` in the place of the real one; nothing may be warned of."""
    program = folder / "test_sample.py"
    program.write_text(sample.replace("wss://api.chatnio.net", server.removesuffix("/chat")), encoding="utf-8")
    if "def test_" in sample:
        shutil.copy(TRANSCRIPTS / "2026-03" / "hello.txt", folder)
        # Where the package is installed pytest finds the fixtures by itself.
        known = any(entry.name == "pychatnio" for entry in importlib.metadata.entry_points(group="pytest11"))
        plugin = [] if known else ["-p", "pychatnio.pytest_plugin"]
        how = ["-m", "pytest", "-q", "-p", "no:cacheprovider", *plugin]
    else:
        how = ["-c", CELL]
    environment = {**os.environ, "PYTHONPATH": str(Path(pychatnio.__file__).parents[1])}
    done = subprocess.run(
        [*PYTHON, *how, str(program)], cwd=folder, env=environment, capture_output=True, text=True, timeout=PATIENCE
    )
    assert (done.returncode, done.stderr) == (0, ""), done
    return done.stdout


def test_every_sample_is_known() -> None:
    assert len(SAMPLES) == len(SAID)


@pytest.mark.parametrize(("sample", "said"), list(zip(SAMPLES, SAID)), ids=range(1, len(SAMPLES) + 1))
def test_sample(sample: str, said: str, tmp_path: Path) -> None:
    # Slow only where an answer is to be left before its end.
    with Loopback(pace=20.0 if "break" in sample else 0.0) as server:
        assert re.search(said, run(tmp_path, sample, server.url), flags=re.S)
    if ".transcript()" in sample:
        *_, end = Transcript.load(tmp_path / "hello.txt").events()
        assert isinstance(end, End) and end.text == "" and end.answer.text == "Hello! How can I help?"


#: What those of the main page say, in their order.
TOP_SAID = [
    r"^(Hello! This is the loopback server.*\n){2}",
    r"^Hello! (.*\n)+complete 0\.\d+ \d+\nHello! ",
]


def test_the_top_readme_s_samples(tmp_path: Path) -> None:
    text = (README.parents[2] / "README.md").read_text(encoding="utf-8")
    samples = re.findall(r"^```python\n(.*?)^```$", text, flags=re.M | re.S)
    assert len(samples) == len(TOP_SAID)
    with Loopback(pace=0) as server:
        for sample, said in zip(samples, TOP_SAID):
            # They ask a server of the reader's, which listens there.
            assert "ws://127.0.0.1:8094" in sample
            sample = sample.replace("ws://127.0.0.1:8094", server.url.removesuffix("/chat"))
            assert re.search(said, run(tmp_path, sample, server.url))
