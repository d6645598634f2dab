"""Files in S3-compatible storage, through boto3 and its standard AWS_ variables; boto3 is the extra `s3`."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from chassis.errors import AppError
from chassis.settings.packages import missing

SIGNED_SECONDS = 6 * 3600
PART_BYTES = 16_777_216
DENIED = {"AccessDenied", "InvalidAccessKeyId", "SignatureDoesNotMatch", "ExpiredToken", "401", "403"}


class StorageError(AppError):
    """The storage refuses an operation; the message tells the operator what to check."""

    code, status = "storage_failed", 503


class Missing(StorageError):
    """The storage has no such file."""


@cache
def client() -> Any:
    """Return boto3's client, created at the first use; raise StorageError if boto3 is not installed."""
    try:
        import boto3
        from botocore.config import Config
    except ImportError:
        raise StorageError(f"s3:// {missing('boto3')}.") from None
    # Other vendors' storage supports neither the newer checksums nor a host name for each bucket.
    common: dict[str, Any] = {"signature_version": "s3v4", "request_checksum_calculation": "when_required"}
    common |= {"connect_timeout": 10, "read_timeout": 60, "retries": {"mode": "standard", "max_attempts": 4}}
    made = boto3.client("s3", config=Config(**common))
    if made.meta.endpoint_url.endswith(".amazonaws.com"):
        return made
    return boto3.client("s3", config=Config(**common, s3={"addressing_style": "path"}))


def signed_url(url: str) -> str:
    """Return an https URL that allows anyone who has it to read `s3://bucket/key` for six hours."""
    bucket, key = parts_of(url)
    with explained(url):
        parameters = {"Bucket": bucket, "Key": key}
        return str(client().generate_presigned_url("get_object", Params=parameters, ExpiresIn=SIGNED_SECONDS))


def sizes(url: str) -> dict[str, int]:
    """Return {name: bytes} of the files directly under `s3://bucket/prefix`."""
    bucket, prefix = _folder(url)
    with explained(url):
        pages = client().get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix, Delimiter="/")
        found = [entry for page in pages for entry in page.get("Contents", [])]
    return {entry["Key"].removeprefix(prefix): entry["Size"] for entry in found}


def read_text(url: str) -> str:
    """Return the content of a small file."""
    bucket, key = parts_of(url)
    with explained(url):
        return str(client().get_object(Bucket=bucket, Key=key)["Body"].read(65_536).decode(errors="replace"))


def stream(url: str, first: int = 0) -> Any:
    """Return the open content of a file from a byte on, with `read(size)` and `close()`."""
    bucket, key = parts_of(url)
    with explained(url):
        answer = client().get_object(Bucket=bucket, Key=key, Range=f"bytes={first}-")
    if first and not answer.get("ContentRange", "").startswith(f"bytes {first}-"):
        answer["Body"].close()
        raise StorageError(f"The storage of s3://{bucket} does not answer ranges: check AWS_ENDPOINT_URL.")
    return answer["Body"]


def upload(path: Path, url: str, told: Callable[[int], None]) -> None:
    """Upload a file, which appears when it is complete; `told` gets the bytes of each step."""
    from boto3.s3.transfer import TransferConfig

    bucket, key = parts_of(url)
    options = TransferConfig(multipart_threshold=PART_BYTES, multipart_chunksize=PART_BYTES, use_threads=False)
    with explained(url), path.open("rb") as file:
        client().upload_fileobj(file, bucket, key, Callback=told, Config=options)


def delete(url: str) -> None:
    """Delete a file; a missing file is not an error."""
    bucket, key = parts_of(url)
    with explained(url):
        client().delete_object(Bucket=bucket, Key=key)


def parts_of(url: str) -> tuple[str, str]:
    """Return (bucket, key) of `s3://bucket/key`."""
    parts = urlsplit(url)
    return parts.netloc, parts.path.strip("/")


def _folder(url: str) -> tuple[str, str]:
    bucket, prefix = parts_of(url)
    return bucket, f"{prefix}/" if prefix else ""


@contextmanager
def explained(url: str) -> Iterator[None]:
    """Turn the errors of boto3, also those of reading a content, into StorageError or Missing."""
    bucket, _ = parts_of(url)
    client()
    from botocore.exceptions import BotoCoreError, ClientError, NoCredentialsError

    try:
        yield
    except ClientError as error:
        code = str(error.response.get("Error", {}).get("Code", ""))
        raise (Missing if code == "NoSuchKey" else StorageError)(_refusal(bucket, code)) from None
    except NoCredentialsError:
        sentence = "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or give the machine a role"
        raise StorageError(f"There are no credentials for s3://{bucket}: {sentence}.") from None
    except (BotoCoreError, ValueError) as error:
        why = " ".join(str(error).split())
        raise StorageError(f"The storage of s3://{bucket} cannot be used ({why}): check AWS_ENDPOINT_URL.") from None


def _refusal(bucket: str, code: str) -> str:
    if code in ("NoSuchBucket", "InvalidBucketName"):
        return f"There is no bucket {bucket}: create it, or correct the name."
    if code in DENIED:
        return (
            f"s3://{bucket} refuses these credentials ({code}): check AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and "
            "the rights to list, read, write and delete there."
        )
    return f"s3://{bucket} answered {code or 'an error'}: check AWS_ENDPOINT_URL, AWS_REGION and the bucket."
