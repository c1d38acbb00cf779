"""S3 and what speaks like it, through boto3: credentials, regions, endpoints and TLS are the SDK's own affair.

The SDK's chain applies: `AWS_PROFILE`, `AWS_REGION`, `AWS_ENDPOINT_URL`, instance roles and so on. Two things that it has no
variable for: `CINEMILL_S3_ANONYMOUS=1` signs nothing, `CINEMILL_S3_REQUESTER_PAYS=1` agrees to pay.
"""

from __future__ import annotations

import os
import re
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from email.utils import formatdate
from typing import Any

import boto3
import botocore.session
from botocore import UNSIGNED
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError, HTTPClientError, NoCredentialsError
from urllib3.exceptions import HTTPError

from mezzfs.errors import AccessDenied, ExpiredCredentials, MezzError, NotAFile, NotFound, Unreachable
from mezzfs.objects import Stat
from mezzfs.stores.base import Entry, Landing, Reply, Upload
from mezzfs.stores.http import RANGE, HttpStore, chunks_of, refuse, reply_of

PART = 16 << 20
"""Bytes per part of an upload: 10,000 parts make 160 GB; later parts grow."""
SIGNED_S, MOST_SIGNED = 900, 10_000
PLAIN = re.compile(r"(?!.*--x-s3$)[a-z0-9.-]+")
"""Buckets whose URLs can be signed ahead: not access points, nor directory buckets with their sessions."""
SLOW_DOWN = ("SlowDown", "RequestTimeout", "InternalError", "ServiceUnavailable", "RequestTimeTooSkewed")
EXPIRED = ("ExpiredToken", "ExpiredTokenException", "TokenRefreshRequired", "InvalidToken")


class S3Store:
    """`s3://bucket/key`. One client per process, used by all threads; our caller retries, the SDK does not.

    A byte range is asked for with a URL that the SDK has signed, once for many ranges: its own way of asking costs five
    times the processor time. Whatever is not the bytes is left to the SDK, which asks again and knows what is wrong.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._session: Any = None
        self._made: Any = None
        self._signer: Any = None
        self._web: HttpStore | None = None
        self._signed: dict[tuple[str, str], tuple[str, float]] = {}

    def stat(self, url: str) -> Stat:
        """See `Store.stat`; a key that only has others below it is a folder."""
        bucket, key = _split(url)
        if not key:
            with translated(url):
                self._client.head_bucket(Bucket=bucket)
            raise NotAFile(url)
        try:
            with translated(url):
                return _stat(self._client.head_object(Bucket=bucket, Key=key, **_payer()))
        except NotFound:
            with translated(url):
                below = self._client.list_objects_v2(
                    Bucket=bucket, Prefix=_folder(key), MaxKeys=1, **_payer()
                )
            if below.get("KeyCount") or not key:
                raise NotAFile(url) from None
            raise

    def get(self, url: str, offset: int, length: int, stat: Stat) -> Reply:
        """See `Store.get`."""
        return self._quickly(url, offset, length, stat) or self._carefully(url, offset, length, stat)

    def _quickly(self, url: str, offset: int, length: int, stat: Stat) -> Reply | None:
        place = _split(url)
        if not stat.etag or not PLAIN.fullmatch(place[0]) or _payer():
            return None
        signed, until = self._signed.get(place, ("", 0.0))
        try:
            if time.monotonic() > until:
                signed = self._sign(*place)
            wanted = {"Range": f"bytes={offset}-{offset + length - 1}", "If-Match": stat.etag}
            answer = self._plainly().ask("GET", signed, wanted)
        except (BotoCoreError, MezzError):
            return None
        if answer.status == 206:
            return reply_of(url, answer)
        answer.close()
        self._signed.pop(place, None)
        return None

    def _plainly(self) -> HttpStore:
        """Web requests that trust the certificates that the SDK is told to trust."""
        if self._web is None:
            bundle = botocore.session.get_session().get_config_variable("ca_bundle")
            self._web = HttpStore(bundle, trusted=True)
        return self._web

    def signed(self, url: str, seconds: int) -> str:
        """An address where anybody may read the object for a while."""
        return self._signature(*_split(url), seconds)

    def _signature(self, bucket: str, key: str, seconds: int) -> str:
        with self._lock:
            if self._signer is None:
                self._signer = self._make("s3v4")
        what = {"Bucket": bucket, "Key": key}
        return str(self._signer.generate_presigned_url("get_object", what, seconds))

    def _sign(self, bucket: str, key: str) -> str:
        signed = self._signature(bucket, key, SIGNED_S)
        if len(self._signed) > MOST_SIGNED:
            self._signed.clear()
        self._signed[bucket, key] = signed, time.monotonic() + SIGNED_S / 2
        return signed

    def _carefully(self, url: str, offset: int, length: int, stat: Stat) -> Reply:
        bucket, key = _split(url)
        condition = {"IfMatch": stat.etag} if stat.etag else {"IfUnmodifiedSince": stat.modified}
        last = offset + length - 1
        with translated(url):
            found = self._client.get_object(
                Bucket=bucket, Key=key, Range=f"bytes={offset}-{last}", **condition, **_payer()
            )
        place = RANGE.match(found.get("ContentRange", ""))
        body, landing = found["Body"], Landing()
        return Reply(
            chunks=chunks_of(url, getattr(body, "_raw_stream", body), landing),
            landing=landing,
            close=body.close,
            partial=found["ResponseMetadata"]["HTTPStatusCode"] == 206,
            first=int(place[1]) if place else None,
            total=int(place[3]) if place else None,
            length=found.get("ContentLength"),
            etag=found.get("ETag"),
        )

    def list(self, url: str) -> list[Entry]:
        """See `Store.list`."""
        bucket, key = _split(url)
        prefix = _folder(key)
        found: list[Entry] = []
        with translated(url):
            pages = self._client.get_paginator("list_objects_v2").paginate(
                Bucket=bucket, Prefix=prefix, Delimiter="/", **_payer()
            )
            for page in pages:
                folders = (folder["Prefix"][len(prefix) :] for folder in page.get("CommonPrefixes", ()))
                found.extend(Entry(name=folder.rstrip("/")) for folder in folders)
                for item in page.get("Contents", ()):
                    name = item["Key"][len(prefix) :]
                    if name:
                        found.append(Entry(name=name, stat=_listed(item)))
        if not found and prefix:
            raise NotFound(url)
        return sorted(found, key=lambda entry: entry.name)

    def create(self, url: str) -> Upload:
        """See `Store.create`."""
        return S3Upload(url, self._client)

    def refresh(self) -> None:
        """See `Store.refresh`."""
        with self._lock:
            self._session = self._made = self._signer = None
            self._signed.clear()

    @property
    def _client(self) -> Any:
        with self._lock:
            if self._made is None:
                self._made = self._make()
            return self._made

    def _make(self, signature: str | None = None) -> Any:
        """A client; the second of a session costs little, as it has read what S3 is."""
        self._session = self._session or boto3.session.Session()
        return _client(self._session, signature)


class S3Upload:
    """A multipart upload: nothing is visible before it is completed, and nothing stays where it is aborted."""

    def __init__(self, url: str, client: Any) -> None:
        self._url, self._client = url, client
        self._place = dict(zip(("Bucket", "Key"), _split(url), strict=True))
        self._parts: list[dict[str, Any]] = []
        self._waiting = bytearray()
        self._id = ""

    def begin(self) -> None:
        """Ask the bucket whether it is there and takes this; else that shows when all has been written."""
        with translated(self._url):
            self._id = self._id or self._client.create_multipart_upload(**self._place, **_payer())["UploadId"]

    def write(self, data: bytes) -> None:
        """See `Upload.write`."""
        self._waiting += data
        while len(self._waiting) >= self._part_bytes:
            size = self._part_bytes
            self._send(bytes(self._waiting[:size]))
            del self._waiting[:size]

    def commit(self) -> None:
        """See `Upload.commit`."""
        if not self._id:
            with translated(self._url):
                self._client.put_object(**self._place, Body=bytes(self._waiting), **_payer())
            return
        if self._waiting:
            self._send(bytes(self._waiting))
            self._waiting.clear()
        with translated(self._url):
            self._client.complete_multipart_upload(
                **self._place, UploadId=self._id, MultipartUpload={"Parts": self._parts}, **_payer()
            )
        self._id = ""

    def abort(self) -> None:
        """See `Upload.abort`."""
        self._waiting.clear()
        if self._id:
            with translated(self._url):
                self._client.abort_multipart_upload(**self._place, UploadId=self._id, **_payer())
            self._id = ""

    @property
    def _part_bytes(self) -> int:
        return PART << min(4, len(self._parts) // 2000)

    def _send(self, data: bytes) -> None:
        self.begin()
        with translated(self._url):
            number = len(self._parts) + 1
            done = self._client.upload_part(
                **self._place, UploadId=self._id, PartNumber=number, Body=data, **_payer()
            )
        self._parts.append({"PartNumber": number, "ETag": done["ETag"]})


def _client(session: Any, signature: str | None) -> Any:
    anonymous = os.environ.get("CINEMILL_S3_ANONYMOUS") == "1"
    signing: dict[str, Any] = {"signature_version": signature} if signature else {}
    if anonymous:
        signing = {"signature_version": UNSIGNED}
    config = Config(
        max_pool_connections=32,
        retries={"total_max_attempts": 1},
        connect_timeout=10,
        read_timeout=30,
        response_checksum_validation="when_required",
        user_agent_extra="cinemill-mezzfs",
        **signing,
    )
    return session.client("s3", config=config)


def _payer() -> dict[str, str]:
    return {"RequestPayer": "requester"} if os.environ.get("CINEMILL_S3_REQUESTER_PAYS") == "1" else {}


def _split(url: str) -> tuple[str, str]:
    bucket, _, key = url.partition("://")[2].partition("/")
    return bucket, key


def _folder(key: str) -> str:
    return key.rstrip("/") + "/" if key.rstrip("/") else ""


def _stat(found: dict[str, Any]) -> Stat:
    modified = found.get("LastModified")
    seconds = int(modified.timestamp()) if modified else 0
    return Stat(
        size=int(found["ContentLength"]),
        etag=found.get("ETag"),
        modified=_http_date(seconds),
        mtime_s=seconds,
    )


def _listed(item: dict[str, Any]) -> Stat:
    seconds = int(item["LastModified"].timestamp())
    return Stat(size=int(item["Size"]), etag=item.get("ETag"), modified=_http_date(seconds), mtime_s=seconds)


def _http_date(seconds: int) -> str:
    return formatdate(seconds, usegmt=True)


@contextmanager
def translated(url: str) -> Iterator[None]:
    """Turn the SDK's errors about `url` into ours; their texts may hold secrets, so only codes are kept."""
    try:
        yield
    except MezzError:
        raise
    except ClientError as error:
        status = int(error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))
        code = str(error.response.get("Error", {}).get("Code", ""))
        if code in EXPIRED:
            raise ExpiredCredentials(url) from error
        if code in SLOW_DOWN or not status:
            raise Unreachable(url, f"the server cannot answer now ({code})") from error
        refuse(url, status, code)
    except NoCredentialsError as error:
        remedy = "set AWS_PROFILE or AWS_ACCESS_KEY_ID, or CINEMILL_S3_ANONYMOUS=1 for a public bucket"
        raise AccessDenied(url, f"there are no credentials; {remedy}") from error
    except (BotoCoreError, HTTPClientError, HTTPError, OSError) as error:
        raise Unreachable(
            url, f"cannot be reached: {type(error).__name__}; check the endpoint and the network"
        ) from error
