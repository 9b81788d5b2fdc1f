"""What clients pack, in every coding that is taken, and what looks like it and is none."""

import gzip
import sys
import zlib
from collections.abc import Callable, Iterator, Mapping
from functools import partial

import brotli

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

MIB = 1_048_576
# As large as brotli's header can say in the extension that no content coding has.
# Source: brotli's own decoder, "large window": bits 0010001, then six bits with the size.
LARGE_WINDOW = b"\x11\x1e" + bytes(20)


def raw_deflate(plain: bytes) -> bytes:
    packer = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    return packer.compress(plain) + packer.flush()


PACKERS: Mapping[str, tuple[str, Callable[[bytes], bytes]]] = {
    "gzip": ("gzip", gzip.compress),
    "x-gzip": ("x-gzip", gzip.compress),
    "deflate": ("deflate", zlib.compress),
    "raw deflate": ("deflate", raw_deflate),
    "br": ("br", partial(brotli.compress, quality=5)),
    "zstd": ("zstd", zstd.compress),
}


def zeros_mib(count: int) -> Iterator[bytes]:
    for _ in range(count):
        yield bytes(MIB)


def bomb(name: str, size_mib: int) -> bytes:
    """Return so many zeros packed as tightly as a coding packs them, made in little memory."""
    match name:
        case "br":
            packer = brotli.Compressor(quality=5, lgwin=24)
            return b"".join([*map(packer.process, zeros_mib(size_mib)), packer.finish()])
        case "zstd":
            return zstd_frame(zeros_mib(size_mib), window_log=23)
        case _:
            bits = {"gzip": 16 + zlib.MAX_WBITS, "deflate": zlib.MAX_WBITS}[name]
            deflater = zlib.compressobj(9, wbits=bits)
            return b"".join(map(deflater.compress, zeros_mib(size_mib))) + deflater.flush()


def zstd_frame(parts: Iterator[bytes], *, window_log: int) -> bytes:
    """Return a frame that does not say how long it is, so that its window is what is asked for."""
    packer = zstd.ZstdCompressor(options={zstd.CompressionParameter.window_log: window_log})
    return b"".join(map(packer.compress, parts)) + packer.flush()


def skippable_frame(hidden: bytes) -> bytes:
    """Return a frame that every reader of zstd passes over. Source: RFC 8878, 3.1.2."""
    return b"\x50\x2a\x4d\x18" + len(hidden).to_bytes(4, "little") + hidden


def with_dictionary(plain: bytes) -> bytes:
    samples = [b"listing %d of %d in a feed of many listings" % (each, each * 7) for each in range(1_000)]
    return zstd.compress(plain, zstd_dict=zstd.train_dict(samples, 2_000))
