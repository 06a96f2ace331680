"""Whole-file writes: a reader sees the old file or the new one, never a part.

Belongs here: how landing, analytics and extracts put bytes and tables on disk. Not here: what the bytes mean.
"""

import os
import tempfile
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq


def write_atomically(path: Path, body: bytes) -> None:
    """Write ``body`` to ``path`` through a flushed temporary file in the same folder.

    A crash leaves at most a stray ``.tmp-*`` file beside the old content.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(prefix=".tmp-", dir=path.parent)
    temporary = Path(name)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(body)
            file.flush()
            os.fsync(file.fileno())
        temporary.chmod(0o644)
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def write_again(path: Path, body: bytes, before: Path | None) -> None:
    """Write ``body`` to ``path``; where ``before`` holds the same, as another name of it, which takes no space.

    Some file systems know no second names: there it takes the space.
    """
    if before and not path.exists() and before.read_bytes() == body:
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            os.link(before, path)
        except OSError:
            write_atomically(path, body)
        return
    write_atomically(path, body)


def write_table(path: Path, table: pa.Table) -> bytes:
    """Write a table as Parquet; returns the file's bytes, the same for the same table."""
    sink = pa.BufferOutputStream()
    pq.write_table(table, sink, compression="zstd")
    body: bytes = sink.getvalue().to_pybytes()
    write_atomically(path, body)
    return body
