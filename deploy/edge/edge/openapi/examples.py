"""Examples for the calls that a vendor begins with, and plain ones made from a schema for all others."""

from collections.abc import Mapping
from typing import Any

from edge.openapi.rules import Schema
from edge.openapi.schemas import COMPONENTS

RECORD = {
    "recordId": "in-1",
    "lotId": "350302-000001",
    "direction": "DIRECTION_ENTRY",
    "eventTime": "2024-03-14T08:00:00+08:00",
    "plateNumber": "闽B12345",
    "plateColour": "PLATE_COLOUR_BLUE",
    "vehicleClass": "VEHICLE_CLASS_SMALL",
    "gateId": "1",
    "laneId": "1",
}
REQUESTS: Mapping[str, Any] = {
    "parkmesh.registry.v1.TokenService.IssueToken": {"clientId": "vendor-1", "clientSecret": "…"},
    "parkmesh.registry.v1.RegistryService.CreateLot": {
        "registrationNumber": "PT-0001",
        "name": "文献路停车场",
        "type": "LOT_TYPE_PUBLIC",
        "divisionCode": "350302",
        "openBerths": 120,
    },
    "parkmesh.registry.v1.RegistryService.CreateGate": {
        "gateId": "1",
        "name": "文献路一号入口",
        "lanes": [{"laneId": "1", "direction": "LANE_DIRECTION_ENTRY"}],
    },
    "parkmesh.registry.v1.VendorService.GrantLot": {"lotId": RECORD["lotId"]},
    "parkmesh.access.v1.AccessRecordService.UploadRecords": {"records": [RECORD]},
}
"""Bodies by the full name of the method: the shortest that are useful."""

ANSWERS: Mapping[str, Any] = {
    "parkmesh.access.v1.AccessRecordService.UploadRecords": {
        "allStored": True,
        "accepted": 1,
        "duplicate": 0,
        "conflicting": 0,
        "rejected": 0,
        "deferred": 0,
        "items": [],
        "serverTime": "2024-03-14T00:00:00.125Z",
        "unknownFields": [],
        "retryAfterMs": 0,
    },
}
"""What is answered to these."""

_TIME = "2024-03-14T08:00:00+08:00"


def sample(schema: Schema, components: Mapping[str, Schema]) -> Any:
    """The shortest value of a schema: what is required, with the schema's own examples; `…` for free text."""
    if "examples" in schema:
        return schema["examples"][0]
    if "const" in schema:
        return schema["const"]
    if "enum" in schema:
        return schema["enum"][0]
    if "$ref" in schema:
        return sample(components[schema["$ref"].removeprefix(COMPONENTS)], components)
    if "anyOf" in schema:
        return sample(schema["anyOf"][-1], components)
    match schema.get("type"):
        case "object":
            needed = schema.get("required", ())
            return {name: sample(schema["properties"][name], components) for name in needed}
        case "array":
            return [sample(schema["items"], components)] if schema.get("minItems") else []
        case "integer" | "number":
            return schema.get("minimum", 0) if schema.get("minimum", 0) > 0 else schema.get("exclusiveMinimum", -1) + 1
        case "boolean":
            return False
        case "string":
            return _TIME if schema.get("format") == "date-time" else "…"
    return None
