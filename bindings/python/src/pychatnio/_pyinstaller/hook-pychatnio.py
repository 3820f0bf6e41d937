"""What cannot be seen in the package's text: what its extension module imports, and the program `chatnio`."""

from pychatnio import program

hiddenimports = ["_cffi_backend"]
binaries = [(str(program()), "pychatnio/bin")]
