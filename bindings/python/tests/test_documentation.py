"""Everything public says what it is, where the API reference and editors look for it."""

from __future__ import annotations

import typing

import pytest

import pychatnio

pdoc = pytest.importorskip("pdoc.doc")


def undocumented() -> set[str]:
    """What has no text of its own."""
    module = pdoc.Module(pychatnio)
    found: set[str] = set()
    for name in pychatnio.__all__:
        of = module.get(name)
        found.update([name] if not of.docstring else [])
        for member in getattr(of, "own_members", ()):
            if not member.docstring and not member.name.startswith("_"):
                found.add(member.qualname)
    return found


def test_everything_is_documented() -> None:
    # They are in the text of their class.
    exempt = {f"Parameters.{name}" for name in typing.get_type_hints(pychatnio.Parameters)}
    # What the header tells in words of C is left to the status's message.
    assert {name for name in undocumented() if not name.startswith("Status.")} == exempt
    for name in typing.get_type_hints(pychatnio.Parameters):
        assert f"    {name}: " in (pychatnio.Parameters.__doc__ or "")
