"""Remote objects as seekable files.

    import mezzfs

    with mezzfs.open("s3://bucket/title.mov") as file:
        file.seek(1 << 20)
        head = file.read(65536)
    identity, size = mezzfs.identify("title.mov")

Every read of media in Cinemill goes through `open`. A local file is opened as it is; everything else is read through a cache of
fixed size (256 MiB, or CINEMILL_MEZZFS_MEMORY bytes) that reads ahead, and every byte is verified to be of the version opened.
"""

from __future__ import annotations

from mezzfs._identify import identify as identify
from mezzfs._open import is_local as is_local
from mezzfs._open import local_path as local_path
from mezzfs._open import open as open  # noqa: A004  the package's verb
from mezzfs._put import check_put as check_put
from mezzfs._put import put as put
from mezzfs._signed import signed as signed
from mezzfs.errors import AccessDenied as AccessDenied
from mezzfs.errors import BadManifest as BadManifest
from mezzfs.errors import BadReply as BadReply
from mezzfs.errors import CannotMount as CannotMount
from mezzfs.errors import ChangedObject as ChangedObject
from mezzfs.errors import EmptyObject as EmptyObject
from mezzfs.errors import ExpiredCredentials as ExpiredCredentials
from mezzfs.errors import MezzError as MezzError
from mezzfs.errors import MissingExtra as MissingExtra
from mezzfs.errors import NotAFile as NotAFile
from mezzfs.errors import NotFound as NotFound
from mezzfs.errors import NotWritable as NotWritable
from mezzfs.errors import Unreachable as Unreachable

__all__ = [
    "AccessDenied",
    "BadManifest",
    "BadReply",
    "CannotMount",
    "ChangedObject",
    "EmptyObject",
    "ExpiredCredentials",
    "MezzError",
    "MissingExtra",
    "NotAFile",
    "NotFound",
    "NotWritable",
    "Unreachable",
    "check_put",
    "identify",
    "is_local",
    "local_path",
    "open",
    "put",
    "signed",
]
