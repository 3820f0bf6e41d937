# The extension module as cffi makes it; its names and types are those of chatnio.h.
from typing import Any

ffi: Any
lib: Any
