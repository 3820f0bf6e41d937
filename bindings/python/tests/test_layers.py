"""The package's modules import each other in one direction alone, and what the header says is said again nowhere."""

from __future__ import annotations

import ast
import importlib.util
import sys
from graphlib import TopologicalSorter
from pathlib import Path
from types import ModuleType

import pytest

PROJECT = Path(__file__).resolve().parents[1]
PACKAGE = PROJECT / "src" / "pychatnio"


def imports() -> dict[str, set[str]]:
    """Which module of the package imports which, wherever it does so: in a function too, and for type checkers alone."""
    modules = {
        ".".join(path.relative_to(PACKAGE).with_suffix("").parts).removesuffix(".__init__").removesuffix("__init__"): path
        for path in PACKAGE.rglob("*.py*")
        if path.suffix in (".py", ".pyi")
    }
    found: dict[str, set[str]] = {}
    for name, path in modules.items():
        parents = name.split(".") if path.name == "__init__.py" and name else name.split(".")[:-1]
        found[name] = set()
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ImportFrom) and node.level:
                base = parents[: len(parents) - node.level + 1] if name else []
                target = ".".join([*base, *(node.module or "").split(".")]).strip(".")
                # Without a module, as in `from . import x`, it is the package itself.
                found[name].add(target if target in modules else ".".join(base))
    return found


def test_there_is_no_circle() -> None:
    found = imports()
    assert {"errors", "client", "aio.driver", "transcript"} <= found.keys()
    assert "errors" in found["_boundary"] and "aio.link" in found["aio.driver"] and "aio" in found[""]
    # Raises CycleError, which names it.
    order = list(TopologicalSorter(found).static_order())
    # The lowest knows none of the others, and the highest all.
    assert not found["_status"] - {"_native"}
    assert order[-1] in ("", "__main__", "pytest_plugin")


#: How many lines a file may have: one that holds more than one thing is split.
MOST = 620


def test_files_are_small() -> None:
    # Of the package and its tests.
    long = {
        path.name: lines
        for folder in (PACKAGE, PROJECT / "tests")
        for path in folder.rglob("*.py")
        if (lines := len(path.read_text(encoding="utf-8").splitlines())) > MOST
    }
    assert not long


def generator() -> ModuleType:
    spec = importlib.util.spec_from_file_location("statuses", PROJECT / "native" / "statuses.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_statuses_are_generated_from_the_header() -> None:
    statuses = generator()
    header = statuses.HEADER.read_text(encoding="utf-8")
    assert statuses.WRITTEN.read_text(encoding="utf-8") == statuses.written(header), (
        f"the header's statuses have changed: run {sys.executable} bindings/python/native/statuses.py, "
        "and say in errors.py what is raised for a new one"
    )


def test_a_new_status_is_generated() -> None:
    statuses = generator()
    header = statuses.HEADER.read_text(encoding="utf-8")
    new = header.replace("    CHATNIO_PANIC = 4999,", "    CHATNIO_PANIC = 4999,\n    /**\n     * New.\n     */\n    CHATNIO_NEW = 5000,")
    assert new != header
    assert statuses.written(new) == statuses.written(header).replace(
        "\n\n    @property\n    def message", '\n    NEW = 5000\n    """New."""\n\n    @property\n    def message', 1
    )
    with pytest.raises(ValueError):
        statuses.written("")
