"""Generates what is built from the protos into protos/build: messages, stubs, types, the descriptors for Envoy and buf.

buf checks, protoc generates: buf cannot make Python gRPC stubs without the network, and no package ships
buf/validate/validate.proto as text, so protoc is given its descriptor instead.
"""

import hashlib
import pathlib
import pprint
import re
import shutil
import subprocess
import sys

import google.api.annotations_pb2  # type: ignore[import-untyped]
import grpc_tools  # type: ignore[import-untyped]
from google.protobuf import descriptor_pb2
from protovalidate._gen.buf.validate import validate_pb

PROTOS = pathlib.Path(__file__).parent
BUILD = PROTOS / "build"
STAMP = BUILD / ".inputs"
VALIDATE = "buf/validate/validate.proto"
REASONS = "parkmesh/errors/v1/error_reason.proto"


def main() -> None:
    """Generates, unless the inputs are those of the last time."""
    sources = sorted(PROTOS.glob("parkmesh/**/*.proto"))
    inputs = fingerprint([pathlib.Path(__file__), *sources])
    if STAMP.exists() and STAMP.read_text() == inputs:
        return
    for stale in ("parkmesh", "buf"):
        shutil.rmtree(BUILD / stale, ignore_errors=True)
    BUILD.mkdir(exist_ok=True)
    names = [str(source.relative_to(PROTOS)) for source in sources]
    validate = validate_descriptors()
    protoc(validate, [f"--python_out={BUILD}", f"--mypy_out=quiet:{BUILD}", VALIDATE, *names])
    services = [name for name in names if name.endswith("_service.proto")]
    protoc(validate, [f"--grpc_python_out={BUILD}", f"--mypy_grpc_out=quiet,only_async:{BUILD}", *services])
    image = BUILD / "descriptors.binpb"
    details = "google/rpc/error_details.proto"  # Envoy prints error details as JSON only when it knows their types
    protoc(validate, ["--include_imports", "--include_source_info", f"--descriptor_set_out={image}", details, *names])
    (BUILD / REASONS).with_name("chinese.py").write_text(chinese_of_reasons(image.read_bytes()))
    mark_packages()
    STAMP.write_text(inputs)


def fingerprint(files: list[pathlib.Path]) -> str:
    """Names and contents of the files, as one hash."""
    digest = hashlib.sha256()
    for file in files:
        digest.update(str(file.relative_to(PROTOS)).encode() + b"\0" + file.read_bytes() + b"\0")
    return digest.hexdigest()


def validate_descriptors() -> pathlib.Path:
    """Writes the descriptor of buf/validate/validate.proto and of what it imports, as protovalidate carries it."""
    files = descriptor_pb2.FileDescriptorSet()
    for name in ("descriptor", "duration", "timestamp", "field_mask"):
        module = __import__(f"google.protobuf.{name}_pb2", fromlist=["DESCRIPTOR"])
        module.DESCRIPTOR.CopyToProto(files.file.add())
    files.file.add().ParseFromString(validate_pb._DESC.proto.to_binary())
    path = BUILD / "validate.binpb"
    path.write_bytes(files.SerializeToString())
    return path


def protoc(validate: pathlib.Path, arguments: list[str]) -> None:
    """Runs protoc with the protos, Google's API protos and the validate descriptor in sight; exits when it fails."""
    assert google.api.annotations_pb2.__file__ is not None
    googleapis = pathlib.Path(google.api.annotations_pb2.__file__).parents[2]
    well_known = pathlib.Path(grpc_tools.__file__).parent / "_proto"
    plugins = [
        f"--plugin={name}={pathlib.Path(sys.executable).parent / name}"
        for name in ("protoc-gen-mypy", "protoc-gen-mypy_grpc")
    ]
    command = [
        sys.executable,
        "-m",
        "grpc_tools.protoc",
        *plugins,
        f"--descriptor_set_in={validate}",
        f"-I{PROTOS}",
        f"-I{googleapis}",
        f"-I{well_known}",
    ]
    if subprocess.run([*command, *arguments], check=False).returncode:  # noqa: S603
        sys.exit("protos: generation failed, see above")


def chinese_of_reasons(image: bytes) -> str:
    """The module with the Chinese text of each error reason, from the comments of its enum: the services send it."""
    file = next(file for file in descriptor_pb2.FileDescriptorSet.FromString(image).file if file.name == REASONS)
    comments = {tuple(place.path): place.leading_comments for place in file.source_code_info.location}
    # 5: the file's enums; 2: an enum's values (descriptor.proto).
    stated = {
        value.name: re.search(r"中文：(.+?)\n\s*status:", comments.get((5, at, 2, place), ""), re.DOTALL)
        for at, enum in enumerate(file.enum_type)
        for place, value in enumerate(enum.value)
        if enum.name == "ErrorReason"
    }
    texts = {name: " ".join(found[1].split()) for name, found in stated.items() if found}
    purpose = f'"""The Chinese text of each error reason, generated from {REASONS}."""'
    return f"{purpose}\n\nCHINESE: dict[str, str] = {pprint.pformat(texts, sort_dicts=False, width=120)}\n"


def mark_packages() -> None:
    """Makes every generated folder a typed package."""
    for root in ("parkmesh", "buf"):
        for folder in [
            BUILD / root,
            *(path for path in (BUILD / root).rglob("*") if path.is_dir() and path.name != "__pycache__"),
        ]:
            (folder / "__init__.py").touch()
        (BUILD / root / "py.typed").touch()


if __name__ == "__main__":
    main()
