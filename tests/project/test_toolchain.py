"""How a toolchain is made, whichever it is: once, whole or not at all, and in no folder of somebody else's."""

from __future__ import annotations

import subprocess
import tempfile
import unittest
from pathlib import Path

from pages import ROOT

MAKER = """
set -euo pipefail
name=tried directory=$1
. {frame}
recipe() {{ echo "$2"; }}
make_tree() {{ $3; echo once >>{count}; echo made >"$1/tool"; }}
try_tree() {{ [ "$(cat "$directory/tool")" = made ] && $4; }}
make_once
"""


class Toolchain(unittest.TestCase):
    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)
        self.tree = self.folder / "tree"
        self.count = self.folder / "count"
        self.script = self.folder / "maker"
        # The functions are called with arguments of their own.
        text = MAKER.format(frame=ROOT / ".ci/toolchain", count=self.count)
        for number, name in [(2, "of"), (3, "first"), (4, "last")]:
            text = text.replace(f"${number}", f"${name}")
        self.script.write_text(text, encoding="utf-8")

    def make(self, of: str = "a", first: str = ":", last: str = ":", tree: Path | None = None) -> subprocess.CompletedProcess[str]:
        command = ["env", f"of={of}", f"first={first}", f"last={last}", "bash", str(self.script), str(tree or self.tree)]
        return subprocess.run(command, capture_output=True, text=True, stdin=subprocess.DEVNULL, timeout=60)

    def times_made(self) -> int:
        return len(self.count.read_text(encoding="utf-8").splitlines())

    def test_it_is_made_once(self) -> None:
        self.assertEqual([self.make().returncode, self.make().returncode], [0, 0])
        self.assertEqual(self.times_made(), 1)
        self.assertEqual((self.tree / "tool").read_text(encoding="utf-8"), "made\n")
        self.assertFalse(self.folder.joinpath("tree.log").exists())

    def test_of_something_else_it_is_made_anew(self) -> None:
        self.make()
        (self.tree / "old").touch()
        self.assertEqual(self.make(of="b").returncode, 0)
        self.assertEqual(self.times_made(), 2)
        self.assertFalse((self.tree / "old").exists())

    def test_what_fails_is_said_and_made_anew(self) -> None:
        for fails in [{"first": "false"}, {"last": "false"}]:
            with self.subTest(fails):
                of = str(fails)
                done = self.make(of, **fails)
                self.assertEqual(done.returncode, 1)
                self.assertIn(f"tried toolchain: it could not be made: see {self.tree}.log\n", done.stderr)
                self.assertEqual(self.make(of).returncode, 0)
                self.assertEqual(self.make(of, first="false").returncode, 0)

    def test_what_cannot_be_had_is_no_failure(self) -> None:
        done = self.make(first="exit 3")
        self.assertEqual(done.returncode, 3)
        self.assertIn("cannot be had", done.stderr)

    def test_two_at_once_make_it_once(self) -> None:
        command = ["env", "of=a", "first=:", "last=:", "bash", str(self.script), str(self.tree)]
        both = [subprocess.Popen(command, stderr=subprocess.DEVNULL, stdin=subprocess.DEVNULL) for _ in range(2)]
        self.assertEqual([one.wait(timeout=60) for one in both], [0, 0])
        self.assertEqual(self.times_made(), 1)

    def test_a_folder_of_something_else_stays(self) -> None:
        for place in [self.tree, Path(f"{self.tree}.partial")]:
            with self.subTest(place=place.name):
                place.mkdir()
                (place / "file").touch()
                done = self.make()
                self.assertEqual(done.returncode, 1)
                self.assertIn(f"{place} is there, and something else: move it away", done.stderr)
                self.assertTrue((place / "file").exists())
                (place / "file").unlink()
        self.assertEqual(self.make(tree=Path("/usr")).returncode, 1)


if __name__ == "__main__":
    unittest.main()
