"""One database of job state, SQLite or PostgreSQL: its transactions, its clock, and its errors in our words.

A piece of work is a function of a connection, in one transaction; where the connection is lost, or two transactions wait for each
other, it is done again from its beginning, within bounds. So it must not change anything but the database.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path
from threading import Lock
from typing import Any, TypeVar

import sqlalchemy as sa

from archer.errors import DiskFull, StateDamaged, StateUnusable, StoreError, StoreUnreachable

FILE = "archer.db"
PATIENCE_S = 20.0
FIRST_WAIT_S, LONGEST_WAIT_S = 0.05, 2.0
AGAIN = frozenset({"40001", "40P01", "55P03"})
"""PostgreSQL's codes of serialization failure, deadlock, lock not available: the same transaction may succeed now."""
DOWN = ("08", "57P", "25P03")
"""Its codes of a connection that fails, of a server that stops or starts, of a transaction in which nobody spoke for too long."""
SESSION = (
    "idle_in_transaction_session_timeout=5s",  # a frozen process would keep its locks, on which all others wait
    "tcp_keepalives_idle=10",
    "tcp_keepalives_interval=3",
    "tcp_keepalives_count=3",
)
"""What the server is to do for our connections, unless the URL has options of its own."""
REFUSED = (
    "authentication failed",
    "no password supplied",
    "does not exist",
    "no pg_hba.conf entry",
    "permission denied",
)
"""What a server says that is there, but has nothing for us: waiting would change nothing."""
Work = TypeVar("Work")
log = logging.getLogger(__name__)


class Database:
    """Where job state is. Any number of threads may use it.

    Args:
        url: `sqlite:///path`, `postgresql://user:password@host/name`, or the path of a work folder, whose file is `archer.db`.
        read_only: open an SQLite file without the right to change it.
        patience_s: how long lost connections are tried again.

    Attributes:
        place: what people call it; never with its password.
        dialect: `sqlite` or `postgresql`.

    Raises:
        StateUnusable: the URL means nothing that we know.
    """

    def __init__(self, url: str | Path, *, read_only: bool = False, patience_s: float = PATIENCE_S) -> None:
        made = _parsed(url)
        self.dialect = made.get_backend_name()
        self.place = str(made.database) if self.dialect == "sqlite" else _shown(made)
        self._secret, self._patience_s = made.password, patience_s
        # SQLite's writers wait by trying again and again, in no order: those of one process take turns instead.
        self._turn: AbstractContextManager[Any] = Lock() if self.dialect == "sqlite" else nullcontext()
        self.engine = _sqlite(made, read_only=read_only) if self.dialect == "sqlite" else _postgresql(made)

    def close(self) -> None:
        """Close its connections."""
        self.engine.dispose()

    def write(self, work: Callable[[sa.Connection], Work]) -> Work:
        """Do work in a transaction that may change things; returns what it returns.

        Raises:
            StoreUnreachable: there was no connection for too long.
            DiskFull, StateDamaged, StateUnusable: the database refuses.
        """
        with self._turn:
            return self._patiently(work, writes=True)

    def read(self, work: Callable[[sa.Connection], Work]) -> Work:
        """The same for work that changes nothing."""
        return self._patiently(work, writes=False)

    def now_ms(self, connection: sa.Connection) -> int:
        """Milliseconds since 1970 by the clock that all users of the database share."""
        if self.dialect == "sqlite":
            return now_ms()
        query = "SELECT (EXTRACT(EPOCH FROM clock_timestamp()) * 1000)::bigint"
        return int(connection.exec_driver_sql(query).scalar_one())

    def _patiently(self, work: Callable[[sa.Connection], Work], *, writes: bool) -> Work:
        until, wait_s = time.monotonic() + self._patience_s, FIRST_WAIT_S
        while True:
            try:
                with self.translated(), self.engine.connect() as connection:
                    connection.info["writes"] = writes
                    with connection.begin():
                        return work(connection)
            except _Again as error:
                if time.monotonic() + wait_s > until:
                    raise error.final from error.__cause__
                log.warning("%s; trying again in %.2f s", error.final, wait_s)
                time.sleep(wait_s)
                wait_s = min(2 * wait_s, LONGEST_WAIT_S)

    @contextmanager
    def translated(self) -> Iterator[None]:
        """Errors of the driver become ours."""
        try:
            yield
        except sa.exc.IntegrityError:
            raise
        except sa.exc.DBAPIError as error:
            raise self._named(error) from error
        except sa.exc.SQLAlchemyError as error:
            raise StateUnusable(self.place, self._clean(str(error))) from error

    def _named(self, error: sa.exc.DBAPIError) -> StoreError | DiskFull | _Again:
        text, code = self._clean(str(error.orig)), str(getattr(error.orig, "sqlstate", None) or "")
        if "disk is full" in text or "disk I/O error" in text or code == "53100":
            return DiskFull(self.place)
        if self.dialect == "sqlite":
            if "malformed" in text or "not a database" in text:
                return StateDamaged(self.place)
            final = StateUnusable(self.place, text)
            return _Again(final) if "locked" in text else final
        if any(words in text for words in REFUSED):
            return StateUnusable(self.place, text)
        if code in AGAIN:
            return _Again(StateUnusable(self.place, text))
        lost = error.connection_invalidated or code.startswith(DOWN) or code == "53300"
        if lost or (not code and isinstance(error, sa.exc.OperationalError)):
            return _Again(StoreUnreachable(self.place, text))
        return StateUnusable(self.place, text)

    def _clean(self, text: str) -> str:
        line = " ".join(text.split())
        return line.replace(str(self._secret), "***") if self._secret else line


class _Again(Exception):
    """The same work may succeed soon; `final` is the error where it does not."""

    def __init__(self, final: StoreError) -> None:
        super().__init__(final)
        self.final = final


def now_ms() -> int:
    """Milliseconds since 1970."""
    return time.time_ns() // 1_000_000


def is_url(place: str | Path) -> bool:
    """True for a database URL, False for the path of a work folder."""
    return isinstance(place, str) and "://" in place


def _parsed(url: str | Path) -> sa.URL:
    if not is_url(url):
        return sa.URL.create("sqlite", database=str(Path(url).absolute() / FILE))
    try:
        made = sa.make_url(str(url))
    except sa.exc.ArgumentError as error:
        raise StateUnusable(
            "the store's URL", "it cannot be read; wanted postgresql://user@host/name"
        ) from error
    if made.drivername in ("postgresql", "postgres"):
        made = made.set(drivername="postgresql+psycopg")
    if "password" in made.query:  # where nothing would hide it
        made = made.set(password=str(made.query["password"])).difference_update_query(["password"])
    if made.drivername == "sqlite" and made.database:
        return made.set(database=str(Path(made.database).absolute()))
    if made.drivername != "postgresql+psycopg":
        wanted = "wanted sqlite:///path or postgresql://user@host/name"
        raise StateUnusable(made.drivername, f"no store of this kind is known; {wanted}")
    return made


def _shown(url: sa.URL) -> str:
    return url.set(drivername="postgresql", query={}, password=None).render_as_string()


def _sqlite(url: sa.URL, *, read_only: bool) -> sa.Engine:
    text = f"sqlite:///file:{url.database}?mode=ro&uri=true" if read_only else url
    engine = sa.create_engine(text, paramstyle="named", max_overflow=40)
    sa.event.listen(engine, "connect", _read_only if read_only else _configure)
    sa.event.listen(engine, "begin", _begin)
    return engine


def _postgresql(url: sa.URL) -> sa.Engine:
    given = {"connect_timeout": 5, "options": " ".join(f"-c {setting}" for setting in SESSION)}
    arguments = {name: value for name, value in given.items() if name not in url.query}
    try:
        return sa.create_engine(url, pool_size=5, max_overflow=20, pool_timeout=30, connect_args=arguments)
    except ModuleNotFoundError as error:
        remedy = "PostgreSQL needs its driver: pip install 'cinemill[postgres]'"
        raise StateUnusable(_shown(url), remedy) from error


def _configure(connection: Any, _record: Any) -> None:
    """Make readers never wait for the writer (WAL), and commits survive any kill (NORMAL)."""
    connection.isolation_level = None  # `_begin` says when a transaction begins, DDL included
    for pragma in ("busy_timeout=10000", "journal_mode=WAL", "synchronous=NORMAL"):
        connection.execute(f"PRAGMA {pragma}")


def _read_only(connection: Any, _record: Any) -> None:
    connection.isolation_level = None
    connection.execute("PRAGMA busy_timeout=10000")


def _begin(connection: sa.Connection) -> None:
    """A writer takes the write lock at once: one that first reads could find it taken, and could not wait for it."""
    connection.exec_driver_sql("BEGIN IMMEDIATE" if connection.info.get("writes") else "BEGIN")
