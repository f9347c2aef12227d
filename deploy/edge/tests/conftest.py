"""A proto with every shape that a field can have; and imports what warns when it is imported."""

import pathlib
import subprocess
import sys
import warnings

import grpc_tools  # type: ignore[import-untyped]
import pytest
from google.protobuf import descriptor_pb2, descriptor_pool

with warnings.catch_warnings():
    warnings.simplefilter("ignore", DeprecationWarning)  # envoy-data-plane is older than its pydantic
    import edge.control_plane  # noqa: F401

HERE = pathlib.Path(__file__).parent
BUILD = HERE.parents[2] / "protos" / "build"


@pytest.fixture(scope="session")
def shapes(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """The descriptor set of shapes.proto, with its comments; its messages are known from now on."""
    import google.api.annotations_pb2  # type: ignore[import-untyped]

    assert google.api.annotations_pb2.__file__
    out = tmp_path_factory.mktemp("shapes") / "shapes.binpb"
    folders = [
        HERE,
        pathlib.Path(google.api.annotations_pb2.__file__).parents[2],
        pathlib.Path(grpc_tools.__file__).parent / "_proto",
    ]
    command = [sys.executable, "-m", "grpc_tools.protoc", f"--descriptor_set_in={BUILD / 'validate.binpb'}"]
    command += [f"-I{folder}" for folder in folders]
    subprocess.run([*command, "--include_source_info", f"--descriptor_set_out={out}", "shapes.proto"], check=True)
    image = out.read_bytes()
    for file in descriptor_pb2.FileDescriptorSet.FromString(image).file:
        descriptor_pool.Default().AddSerializedFile(file.SerializeToString())
    return image
