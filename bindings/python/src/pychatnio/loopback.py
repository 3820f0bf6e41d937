"""A server on 127.0.0.1, to try things out and to test against: the program `chatnio serve`, which the package carries."""

from __future__ import annotations

import os
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Literal

from ._boundary import Uncopied
from .config import Config
from .transcript import Transcript

__all__ = ["Loopback", "program"]


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
    of the server's, and any other greets. The answers that are named here want a token, any but `anonymous`; but for
    `anon`, which wants none.

    Args:
        generation: The servers to play, by their date.
        tls: Serves `wss://`; `config` trusts it.
        certificate: What that certificate is worth.
        script: A file with a transcript to play back instead of models. A question that it does not answer ends the
            connection.
        pace: Multiplies the models' pauses; 0 answers as fast as possible.
        throttle: Refuses more than so many connections a second; 0 refuses all.

    Raises:
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
    ) -> None:
        if script is not None:
            # The program would say to its standard error alone what is wrong with it.
            Transcript.load(script)
        arguments: list[str] = ["--generation", generation, "--pace", str(pace)]
        self._folder = tempfile.TemporaryDirectory(prefix="pychatnio-") if tls else None
        roots: Sequence[Path] = ()
        if self._folder is not None:
            roots = [Path(self._folder.name) / "roots.pem"]
            arguments += ["--tls", "--certificate", certificate, "--ca-out", str(roots[0])]
        if script is not None:
            arguments += ["--script", os.fspath(script)]
        if throttle is not None:
            arguments += ["--throttle", str(throttle)]
        self._process = subprocess.Popen(
            [program(), "serve", "--until-stdin-closes", *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            # Ctrl-C is for this program, and what it does then may need the server.
            start_new_session=True,
        )
        assert self._process.stdout is not None
        self.url = self._process.stdout.readline().decode().strip()
        if not self.url:
            status = self._process.wait()
            self.close()
            raise OSError(f"`chatnio serve` ended with status {status}")
        self.config = Config(root_files=roots)

    def close(self) -> None:
        """Ends it. A repeated call does nothing."""
        process = self._process
        # It ends with its standard input, also when this process dies.
        for pipe in (process.stdin, process.stdout):
            if pipe is not None:
                pipe.close()
        # A forked child may hold the other end of its standard input.
        process.terminate()
        try:
            process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        if self._folder is not None:
            self._folder.cleanup()

    def __enter__(self) -> Loopback:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        # A traceback that shows variables may show one whose constructor has failed.
        return f"<Loopback at {getattr(self, 'url', 'no URL')}>"
