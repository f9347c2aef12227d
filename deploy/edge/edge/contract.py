"""The public contract as the edge sees it: which methods exist behind it, and what an upload's JSON may hold."""

import dataclasses
import pathlib
from collections.abc import Mapping

from google.api import annotations_pb2  # type: ignore[import-untyped]
from google.protobuf.descriptor import EnumDescriptor, FileDescriptor, MethodDescriptor
from mesh import contract
from mesh.caller import CallerKind
from mesh.wording import Words
from parkmesh.access.v1 import access_record_service_pb2, record_pb2

from edge.openapi import reference


@dataclasses.dataclass(frozen=True)
class Method:
    """A method that vendors, administrators or anybody may call: `path` is its gRPC path, `streaming` when either side
    streams.
    """

    package: str
    service: str
    path: str
    streaming: bool


@dataclasses.dataclass(frozen=True)
class Contract:
    """Everything that the edge serves.

    `descriptors` is the descriptor set for the transcoder, `upload_path` the REST path of an upload, `upload_fields`
    every key that its JSON may hold and whether its value is a list, `enums` what is right for each enum, by the name
    under which the transcoder's errors call it, `reference` what people and machines read about it all.
    """

    descriptors: bytes
    methods: tuple[Method, ...]
    upload_path: str
    upload_fields: Mapping[str, bool]
    enums: Mapping[str, Words]
    reference: reference.Reference

    @property
    def services(self) -> list[str]:
        """The full names of the services with at least one method served, sorted."""
        return sorted({method.service for method in self.methods})

    @property
    def packages(self) -> list[str]:
        """The packages of these services, sorted: each needs an upstream."""
        return sorted({method.package for method in self.methods})


def read(descriptors: pathlib.Path = reference.DESCRIPTORS) -> Contract:
    """The contract that the protos state. A method for services only, or without an audience, is not part of what the
    edge serves.
    """
    methods = tuple(served(method) for method in contract.methods() if is_served(method))
    about = reference.read(descriptors)
    return Contract(descriptors.read_bytes(), methods, upload_path(), upload_fields(), enums(), about)


def is_served(method: MethodDescriptor) -> bool:
    """Whether anybody from outside may call the method."""
    return contract.is_public(method) or bool(contract.kinds_of(method) - {CallerKind.SERVICE})


def served(method: MethodDescriptor) -> Method:
    """What the edge needs to know of a method."""
    service = method.containing_service
    streaming = method.client_streaming or method.server_streaming
    return Method(service.file.package, service.full_name, contract.path_of(method), streaming)


def upload_path() -> str:
    """Where JSON uploads are posted."""
    service = access_record_service_pb2.DESCRIPTOR.services_by_name["AccessRecordService"]
    options = service.methods_by_name["UploadRecords"].GetOptions()
    return str(options.Extensions[annotations_pb2.http].post)


def enums() -> dict[str, Words]:
    """What a value of each enum must be. The transcoder takes names and numbers."""
    files = {method.containing_service.file for method in contract.methods()}
    every = {enum.full_name: enum.name for file in files for enum in enums_of(file)}
    return {
        f"type.googleapis.com/{full}": Words(f"must be a name of the enum {name}", f"须为枚举 {name} 的取值名称")
        for full, name in every.items()
    }


def enums_of(file: FileDescriptor) -> list[EnumDescriptor]:
    """The enums of a file and of the files that it imports."""
    return [*file.enum_types_by_name.values(), *(enum for other in file.dependencies for enum in enums_of(other))]


def upload_fields() -> Mapping[str, bool]:
    """Both spellings that the transcoder reads, `lotId` and `lot_id`, and whether the value is a list."""
    known = access_record_service_pb2.UploadRecordsRequest.DESCRIPTOR, record_pb2.AccessRecord.DESCRIPTOR
    return {
        name: field.is_repeated
        for message in known
        for field in message.fields
        for name in (field.name, field.json_name)
    }
