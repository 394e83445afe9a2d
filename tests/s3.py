"""A server that speaks S3, for tests."""

import uuid

import fsspec
import pytest
import s3fs
from moto.server import ThreadedMotoServer


def at(server: ThreadedMotoServer | None, monkeypatch: pytest.MonkeyPatch) -> None:
    """Say in the environment where S3 is: at this server, or where nothing listens."""
    host, port = server.get_host_and_port() if server is not None else ("127.0.0.1", 9)
    monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://{host}:{port}")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    s3fs.S3FileSystem.clear_instance_cache()  # each keeps the server that it was made for


def new_bucket() -> str:
    """The name of a new bucket."""
    name = f"bucket-{uuid.uuid4().hex}"
    fsspec.filesystem("s3").mkdir(name)
    return name
