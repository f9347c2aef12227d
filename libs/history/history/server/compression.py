"""Content encodings both ways: bodies read piece by piece with a bound, answers packed piece by piece."""

import gzip
import io
import zlib
from typing import IO, Protocol, cast

import lz4.frame  # type: ignore[import-untyped]
import zstandard

from history.server.failure import BAD_REQUEST, CANNOT_DECOMPRESS, TOO_LARGE, refusal

_PREFERRED = ("lz4", "zstd", "gzip", "deflate")


class Packer(Protocol):
    """Packs an answer: every call may give some bytes, `finish` gives the rest."""

    def pack(self, data: bytes) -> bytes:
        """Some packed bytes, perhaps none yet."""

    def finish(self) -> bytes:
        """The last packed bytes."""


class _Plain:
    def pack(self, data: bytes) -> bytes:
        return data

    def finish(self) -> bytes:
        return b""


class _Zlib:
    def __init__(self, window: int) -> None:
        self._packer = zlib.compressobj(1, zlib.DEFLATED, window)

    def pack(self, data: bytes) -> bytes:
        return self._packer.compress(data)

    def finish(self) -> bytes:
        return self._packer.flush()


class _Zstd:
    def __init__(self) -> None:
        self._packer = zstandard.ZstdCompressor(level=1).compressobj()

    def pack(self, data: bytes) -> bytes:
        return self._packer.compress(data)

    def finish(self) -> bytes:
        return self._packer.flush()


class _Lz4:
    def __init__(self) -> None:
        self._packer = lz4.frame.LZ4FrameCompressor(auto_flush=True)
        self._begun = False

    def pack(self, data: bytes) -> bytes:
        head = b"" if self._begun else cast(bytes, self._packer.begin())
        self._begun = True
        return head + cast(bytes, self._packer.compress(data))

    def finish(self) -> bytes:
        head = b"" if self._begun else cast(bytes, self._packer.begin())
        return head + cast(bytes, self._packer.flush())


def packer(encoding: str) -> Packer:
    """A packer for one answer; an empty encoding leaves it as it is."""
    match encoding:
        case "gzip":
            return _Zlib(31)
        case "deflate":
            return _Zlib(15)
        case "zstd":
            return _Zstd()
        case "lz4":
            return _Lz4()
        case _:
            return _Plain()


def preferred(accepted: str) -> str:
    """The encoding to answer with for an Accept-Encoding header, or an empty text."""
    offered = {
        part.partition(";")[0].strip().lower()
        for part in accepted.split(",")
        if part.partition(";")[2].replace(" ", "") not in {"q=0", "q=0.0"}
    }
    return next((name for name in _PREFERRED if name in offered), "")


class Unpacked:
    """A body in one of the encodings as a stream of what it holds; more than `most` bytes raise Failure."""

    def __init__(self, body: IO[bytes], encoding: str, most: int) -> None:
        self._source = _opened(body, encoding)
        self._left = most

    def read(self, size: int) -> bytes:
        """At most `size` bytes, none at the end. Raises Failure when the body is broken, cut off or too large."""
        try:
            data = self._source.read(size)
        except (EOFError, OSError, RuntimeError, zlib.error, zstandard.ZstdError):
            raise refusal(CANNOT_DECOMPRESS, "The body cannot be decompressed: it is damaged or cut off.") from None
        self._left -= len(data)
        if self._left < 0:
            raise refusal(TOO_LARGE, "The body is too large once decompressed.")
        return data


def _opened(body: IO[bytes], encoding: str) -> IO[bytes]:
    match encoding.strip().lower():
        case "" | "identity":
            return body
        case "gzip" | "x-gzip":
            return cast(IO[bytes], gzip.GzipFile(fileobj=body, mode="rb"))
        case "deflate":
            return cast(IO[bytes], io.BufferedReader(_Inflated(body), 1 << 18))
        case "zstd":
            return cast(IO[bytes], io.BufferedReader(_Framed(body), 1 << 18))
        case "lz4":
            return cast(IO[bytes], lz4.frame.LZ4FrameFile(body, mode="rb"))
        case _:
            raise refusal(BAD_REQUEST, "Content-Encoding must be gzip, deflate, zstd or lz4.")


class _Inflated(io.RawIOBase):
    """Deflate with zlib's header, which no reader of the standard library streams."""

    def __init__(self, body: IO[bytes]) -> None:
        self._body, self._unpacker = body, zlib.decompressobj()

    def readable(self) -> bool:
        return True

    def readinto(self, target: memoryview) -> int:  # type: ignore[override]
        while not self._unpacker.eof:
            data = self._unpacker.unconsumed_tail or self._body.read(1 << 16)
            if not data:
                raise EOFError
            if out := self._unpacker.decompress(data, len(target)):
                target[: len(out)] = out
                return len(out)
        return 0


class _Framed(io.RawIOBase):
    """Zstandard frames, one after the other; unlike the library's own reader it notices one that was cut off."""

    # What a little input may become is bounded by this: a block of 128 KiB can be packed into 4 bytes.
    _PIECE = 2048

    def __init__(self, body: IO[bytes]) -> None:
        self._body = body
        self._unpacker: zstandard.ZstdDecompressionObj | None = None
        self._out = memoryview(b"")

    def readable(self) -> bool:
        return True

    def readinto(self, target: memoryview) -> int:  # type: ignore[override]
        rest = b""
        while not self._out:
            data = rest or self._body.read(self._PIECE)
            if not data and self._unpacker is None:
                return 0
            if not data:
                raise EOFError
            self._unpacker = self._unpacker or zstandard.ZstdDecompressor().decompressobj()
            self._out = memoryview(self._unpacker.decompress(data))
            if self._unpacker.eof:
                rest, self._unpacker = self._unpacker.unused_data, None
                if rest and self._out:
                    self._body.seek(-len(rest), io.SEEK_CUR)
            else:
                rest = b""
        taken = self._out[: len(target)]
        target[: len(taken)] = taken
        self._out = self._out[len(taken) :]
        return len(taken)
