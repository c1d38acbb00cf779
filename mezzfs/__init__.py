"""Remote objects as seekable files.

    import mezzfs

    with mezzfs.open("s3://bucket/title.mov") as file:
        file.seek(1 << 20)
        head = file.read(65536)
    identity, size = mezzfs.identify("title.mov")

Every read of media in Cinemill goes through `open`; for now it is a thin layer over fsspec.
"""

from __future__ import annotations

from mezzfs._identify import identify as identify
from mezzfs._open import is_local as is_local
from mezzfs._open import local_path as local_path
from mezzfs._open import open as open  # noqa: A004  the package's verb
from mezzfs.errors import AccessDenied as AccessDenied
from mezzfs.errors import EmptyObject as EmptyObject
from mezzfs.errors import MezzError as MezzError
from mezzfs.errors import MissingExtra as MissingExtra
from mezzfs.errors import NotAFile as NotAFile
from mezzfs.errors import NotFound as NotFound
from mezzfs.errors import Unreachable as Unreachable

__all__ = [
    "AccessDenied",
    "EmptyObject",
    "MezzError",
    "MissingExtra",
    "NotAFile",
    "NotFound",
    "Unreachable",
    "identify",
    "is_local",
    "local_path",
    "open",
]
