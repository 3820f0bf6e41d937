"""On asyncio, with no other dependency."""

from __future__ import annotations

from .client import AsyncClient
from .stream import AsyncAnswerStream

__all__ = ["AsyncAnswerStream", "AsyncClient"]
