"""A server on 127.0.0.1, to try things out and to test against: the program `chatnio serve`, which the package carries."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import tempfile
import weakref
from collections.abc import Iterable, Sequence
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any, Literal, get_args

from ._boundary import Uncopied
from ._status import Status
from ._text import checked
from .config import Config
from .errors import InvalidArgumentError
from .transcript import Transcript

__all__ = ["Loopback", "program"]

#: What can go wrong with the companion calls: every call is throttled, every answer comes twice, every `data` is null, no
#: key is good, this address is black-listed, the web page is at the root and the rest under `/api`, a gateway has nobody
#: behind it.
CallFault = Literal["throttled", "two-objects", "null-data", "bad-key", "black-listed", "web-page", "bad-gateway"]


def program() -> Path:
    """Where the program `chatnio` is: its command line is what `python -m pychatnio` runs."""
    return Path(__file__).with_name("bin") / "chatnio"


class Loopback(Uncopied):
    """A server on 127.0.0.1, in a process of its own, that ends with the `with` block:

        with Loopback() as server, Client(server.url, "sk-any") as client:
            print(client.ask("hi").text())

    The model's name says what its fake models do: `hello` greets, `slow` sends a piece every 80 ms or so, `long-N` N pieces
    without a pause, `unicode` all kinds of text, `latestart` begins late, `silent` opens the turn and says no more, `drop`
    loses the connection in mid-answer, `cut` ends in mid-answer as if it were whole (as servers do whose model breaks off),
    `garbage` sends what cannot be read in between; `none`, `notice`, `err`, `err429`, `nosuch` and `paid` answer by notices
    of the server's, and any other greets. These models want a token, which may be any except `anonymous`; `anon` wants none.

    Args:
        generation: The servers to play, by their date.
        tls: Serves `wss://`; `config` trusts it.
        certificate: What that certificate is worth.
        script: A file with a transcript to play back instead of models. A question that it does not answer ends the
            connection.
        pace: Multiplies the models' pauses; 0 answers as fast as possible.
        throttle: Refuses more than so many connections a second; 0 refuses all.
        strict: With a script: what was asked must be what the script asks, request by request, which `check` looks at, and
            the end of the `with` block.
        faults: What goes wrong with the companion calls of `pychatnio.rest`.

    Raises:
        InvalidArgumentError: for an argument that cannot be.
        OSError: when it cannot be started, or the script not be read.
        TranscriptError: for a script that is none; the error names the line.
    """

    url: str
    """Where it is."""
    config: Config
    """Settings that trust it."""

    def __init__(
        self,
        *,
        generation: Literal["2023-11", "2024-03", "2026-03"] = "2026-03",
        tls: bool = False,
        certificate: Literal["valid", "expired", "wrong-name"] = "valid",
        script: str | os.PathLike[str] | None = None,
        pace: float = 1.0,
        throttle: int | None = None,
        strict: bool = False,
        faults: Iterable[CallFault] = (),
    ) -> None:
        # The program would say to its standard error alone what is wrong with it.
        _one_of("generation", generation, _GENERATIONS)
        _one_of("certificate", certificate, _CERTIFICATES)
        checked(tls, bool, "tls")
        checked(strict, bool, "strict")
        checked(pace, (float, int), "pace")
        if not 0 <= pace < 2**53:
            raise InvalidArgumentError(Status.INVALID, f"pace is a number, from 0 to below 2**53, not {pace!r}")
        if throttle is not None:
            checked(throttle, int, "throttle")
            if not 0 <= throttle < 2**32:
                raise InvalidArgumentError(Status.INVALID, "throttle is a number of connections, from 0 to below 2**32")
        if script is not None:
            # What is wrong with it is said here.
            Transcript.load(script)
        elif strict:
            raise InvalidArgumentError(Status.INVALID, "strict is for a server that plays a script")
        self._is_strict = strict
        if isinstance(faults, str):
            raise TypeError("faults are several names, in a list")
        faults = tuple(faults)
        for fault in faults:
            _one_of("faults", fault, get_args(CallFault))
        #: The process that it is of: a forked child leaves the server and its files to that.
        self._owner = os.getpid()
        self._folder = Path(tempfile.mkdtemp(prefix="pychatnio-"))
        self._remove_folder = weakref.finalize(self, _remove, self._folder, self._owner)
        self._requests = self._folder / "requests"
        self._differences = self._folder / "differences" if script is not None else None
        # By their numbers: the text of an enumeration's member is its name.
        arguments: list[str] = ["--generation", generation, "--pace", str(float(pace)), "--requests", str(self._requests)]
        roots: Sequence[Path] = ()
        if tls:
            roots = [self._folder / "roots.pem"]
            arguments += ["--tls", "--certificate", certificate, "--ca-out", str(roots[0])]
        if script is not None:
            # In one: a file's name may begin as an option does.
            arguments += [f"--script={os.fsdecode(script)}", "--differences", str(self._differences)]
        if throttle is not None:
            arguments += ["--throttle", str(int(throttle))]
        for fault in faults:
            arguments += ["--fault", fault]
        #: What it was asked, and what of that the script does not ask, once it has ended.
        self._heard: tuple[list[dict[str, Any]], str] | None = None
        try:
            self._process = subprocess.Popen(
                [program(), "serve", "--until-stdin-closes", *arguments],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                # Ctrl-C is for this program, and what it does then may need the server.
                start_new_session=True,
            )
        except BaseException:
            self._remove_folder()
            raise
        assert self._process.stdout is not None
        self.url = self._process.stdout.readline().decode().strip()
        if not self.url:
            status = self._process.wait()
            self.close()
            raise OSError(f"`chatnio serve` ended with status {status}")
        self.config = Config(root_files=roots)

    @property
    def requests(self) -> list[dict[str, Any]]:
        """What it was asked so far, by all its clients, in the order in which it came: each request as the protocol has it,
        such as `{"type": "chat", "message": "hi", "model": "gpt-4"}`, stops among them."""
        if self._heard is not None:
            return list(self._heard[0])
        # What is behind the last line's end is being written.
        return [json.loads(line) for line in self._requests.read_text(encoding="utf-8").split("\n")[:-1]]

    def check(self) -> None:
        """Compares what was asked with what the script asks: each connection from the script's start, as it is played.
        A connection may ask less, and stops may come whenever they like. Without a script there is nothing to compare.

        Raises:
            AssertionError: when something else was asked.
            OSError: when what was asked is not there any more: something else has removed the server's files.
        """
        told = self._told() if self._heard is None else self._heard[1]
        if told:
            raise AssertionError(told)

    def _told(self) -> str:
        return self._differences.read_text(encoding="utf-8").rstrip() if self._differences is not None else ""

    def close(self) -> None:
        """Ends it. A repeated call does nothing, nor does one in a forked child, whose parent's it is."""
        process = self._process
        # It ends with its standard input, also when this process dies.
        for pipe in (process.stdin, process.stdout):
            if pipe is not None:
                pipe.close()
        if os.getpid() != self._owner:
            return
        # A forked child may hold the other end of its standard input.
        process.terminate()
        try:
            process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        if self._heard is None:
            # Without its files nothing is known; who asks for that is told so.
            with suppress(FileNotFoundError):
                self._heard = (self.requests, self._told())
        self._remove_folder()

    def __enter__(self) -> Loopback:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()
        if self._is_strict and kind is None:
            self.check()

    def __repr__(self) -> str:
        # A traceback that shows variables may show one whose constructor has failed.
        return f"<Loopback at {getattr(self, 'url', 'no URL')}>"


def _remove(folder: Path, owner: int) -> None:
    """At the server's end, or this program's, which in a forked child is not the end of the server's."""
    if os.getpid() == owner:
        shutil.rmtree(folder, ignore_errors=True)


_GENERATIONS = ("2023-11", "2024-03", "2026-03")
_CERTIFICATES = ("valid", "expired", "wrong-name")


def _one_of(name: str, value: str, all_of: tuple[str, ...]) -> None:
    checked(value, str, name)
    if value not in all_of:
        raise InvalidArgumentError(Status.INVALID, f"{name} is one of {', '.join(all_of)}, not {value!r}")
