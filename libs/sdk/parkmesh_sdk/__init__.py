"""Everything a vendor's program needs to report to the platform.

    async with Client(Connection(url, client_id, client_secret, ca=Path("ca.pem"))) as client:
        answer = await client.upload(records)
        async for result in client.upload_all(many_records, batch_size=500, concurrency=4):
            ...

A record answered with ACCEPTED or DUPLICATE is on the platform's disk; any other answer names what to correct. Sending
the same record again with the same id is always safe, so the SDK does it wherever an answer was lost.
"""

from parkmesh_sdk.client import Client, Protocol
from parkmesh_sdk.connection import Connection
from parkmesh_sdk.errors import CertificateError, FieldViolation, PlatformError
from parkmesh_sdk.method import Method
from parkmesh_sdk.retry import RetryPolicy
from parkmesh_sdk.uploading import BatchResult

__all__ = [
    "BatchResult",
    "CertificateError",
    "Client",
    "Connection",
    "FieldViolation",
    "Method",
    "PlatformError",
    "Protocol",
    "RetryPolicy",
]
