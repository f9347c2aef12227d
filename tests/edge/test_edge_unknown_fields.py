"""Fields that the platform does not know, in the JSON of an upload: named to the service, within bounds."""

import gzip
import json
from typing import Any

import pytest


async def named(edge: Any, text: str | bytes, **headers: str) -> list[str]:
    body = text if isinstance(text, bytes) else text.encode()
    status, answer, _ = await edge.call("POST", "/v1/records:upload", body, **headers)
    assert status == 200
    return list(answer["unknownFields"])


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ('{"records":[{"recordId":"a","lot_id":"b","freeSpaces":1}]}', []),
        ('{"records":[{"recordId":"a","licencePlate":"x","gate":1}]}', ["licencePlate", "gate"]),
        ('{"records":[{"foo":1},{"foo":2},{"bar": 3}]}', ["foo", "bar"]),
        ('{"batch":7,"records":[{"recordId":"a"}]}', ["batch"]),
        ('{"records":[{"extra":{"inner":[{"deep":null}]}}]}', ["extra", "inner", "deep"]),
        ('{"records":[{"releaseReason":"he said \\"foo\\": no, and {\\"bar\\":1}"}]}', []),
        ('{"records":[{"releaseReason":":","recordId":"foo"}]}', []),
        ('{"records":[{"releaseReason":"\\":"},{"releaseReason":"x\\\\","foo":1}]}', ["foo"]),
        ('{"records":[{"bad name":1,"名称":2,"' + "x" * 65 + '":4}]}', []),
        ('{"records":[{' + ",".join(f'"f{n}":1' for n in range(50)) + "}]}", [f"f{n}" for n in range(10)]),
    ],
)
async def test_unknown_fields_are_named(edge: Any, text: str, names: list[str]) -> None:
    assert await named(edge, text) == names


async def test_unknown_fields_are_named_in_gzip_bodies(edge: Any) -> None:
    body = gzip.compress(b'{"records":[{"foo":1}]}')
    assert await named(edge, body, content_encoding="gzip") == ["foo"]


async def test_the_search_ends_after_its_bound(edge: Any) -> None:
    filler = [{"recordId": f"r{number}", "releaseReason": "x" * 150} for number in range(400)]
    body = json.dumps({"records": [{"early": 1}, *filler, {"late": 1}]})
    assert len(body) > 64 * 1024
    assert await named(edge, body) == ["early"]


async def test_other_methods_are_not_searched(edge: Any) -> None:
    body = b'{"clientId":"x","clientSecret":"y","foo":1}'
    assert (await edge.call("POST", "/v1/token", body, token=None))[0] == 200
    assert "x-parkmesh-unknown-fields" not in edge.seen.metadata
