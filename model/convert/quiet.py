"""Keep converters quiet: they write from C++, which Python cannot redirect."""

from __future__ import annotations

import contextlib
import io
import os
import sys
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def silence() -> Iterator[None]:
    """Throw away what is written to file descriptors 1 and 2 and Python's streams, and warnings; errors still raise.

    The whole process is silent meanwhile: keep it short.
    """
    for stream in (sys.stdout, sys.stderr):
        stream.flush()
    kept = [os.dup(number) for number in (1, 2)]
    try:
        with tempfile.TemporaryFile() as sink, warnings.catch_warnings():
            warnings.simplefilter("ignore")
            for number in (1, 2):
                os.dup2(sink.fileno(), number)
            try:
                with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
                    yield
            finally:
                for stream in (sys.stdout, sys.stderr):
                    stream.flush()
                for number, descriptor in zip((1, 2), kept, strict=True):
                    os.dup2(descriptor, number)
    finally:
        for descriptor in kept:
            os.close(descriptor)
