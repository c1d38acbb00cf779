"""Remote objects as files of the system.

from mezzfs.mount import Mount, catalog_for

with Mount(catalog_for("s3://bucket/mezzanines"), Path("/mnt/mezz"), name="s3://bucket/mezzanines"):
    ...  # every program can read /mnt/mezz now
"""

from __future__ import annotations

import os
import threading
from pathlib import Path
from types import TracebackType
from typing import Self

from mezzfs.core import BUDGET, Core
from mezzfs.errors import CannotMount
from mezzfs.mount import fallback, kernel
from mezzfs.mount.catalog import Catalog
from mezzfs.mount.catalog import FilesCatalog as FilesCatalog
from mezzfs.mount.catalog import Found as Found
from mezzfs.mount.catalog import UrlCatalog as UrlCatalog
from mezzfs.mount.catalog import catalog_for as catalog_for
from mezzfs.mount.files import Face as Face
from mezzfs.mount.kernel import missing as missing
from mezzfs.mount.kernel import recover as recover
from mezzfs.mount.protocol import Owner as Owner
from mezzfs.mount.server import Server

__all__ = [
    "Face",
    "FilesCatalog",
    "Found",
    "Mount",
    "Owner",
    "UrlCatalog",
    "catalog_for",
    "face_for_here",
    "missing",
    "recover",
]


def face_for_here() -> Face:
    """The native face, unless it cannot run here and the other one can."""
    return "mfusepy" if kernel.missing() and not fallback.missing() else "native"


class Mount:
    """A mount that lives as long as this object, or until somebody unmounts it.

    Args:
        catalog: what it shows.
        folder: where.
        name: what `mount` and `df` show as its source; without secrets.
        core: the engine; one of its own where it is None.
        owner: whose the files are; ours where it is None.
        allow_other: whether other users may look in.
        face: `native`, `mfusepy`, or None for the first of them that can run here.

    Raises:
        CannotMount: with what is missing.
    """

    def __init__(
        self,
        catalog: Catalog,
        folder: Path,
        *,
        name: str = "cinemill",
        core: Core | None = None,
        owner: Owner | None = None,
        allow_other: bool = False,
        face: Face | None = None,
    ) -> None:
        owner = owner or Owner(uid=os.geteuid(), gid=os.getegid())
        self.folder, self.face = folder, face or face_for_here()
        self.core = core or Core(budget=BUDGET, touch=True)
        self.server: Server | fallback.FallbackServer
        if self.face == "mfusepy":
            self.server = self._through_libfuse(catalog, name, owner, allow_other=allow_other)
            return
        device = kernel.attach(folder, name, writable=owner.writable, allow_other=allow_other)
        try:
            self.server = Server(device, catalog, self.core, owner)
        finally:
            os.close(device)  # the server has its own
        threading.Thread(target=self.server.run, name="mezzfs-mount", daemon=True).start()

    def _through_libfuse(
        self, catalog: Catalog, name: str, owner: Owner, *, allow_other: bool
    ) -> fallback.FallbackServer:
        if lacking := fallback.missing():
            raise CannotMount(str(self.folder), lacking)
        kernel.prepare(self.folder)
        server = fallback.FallbackServer(self.folder, catalog, self.core, owner)
        threading.Thread(
            target=server.run,
            args=(name,),
            kwargs={"allow_other": allow_other},
            name="mezzfs-mount",
            daemon=True,
        ).start()
        server.mounted(20)
        return server

    def wait(self, seconds: float | None = None) -> bool:
        """Wait until the mount has ended; True if it has."""
        return self.server.wait(seconds)

    def close(self) -> None:
        """Unmount; from under those who still use it, if need be."""
        if not self.server.wait(0) and not kernel.detach(self.folder, force=False):
            kernel.detach(self.folder, force=True)
        self.server.wait(10)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
