"""Pictures without anything but the picture, by leaving out the parts of the file that carry the rest.

Nothing is decoded, so a picture cannot be a bomb here; one that would be for whoever opens it, by the size it claims,
is refused. Imports nothing of ours: the child process uses it too.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator

EXTENSIONS = {"image/jpeg": "jpg", "image/png": "png", "image/gif": "gif", "image/webp": "webp"}
PIXELS = 120_000_000  # more than any telephone takes; shown, it costs half a gigabyte
_JPEG_KEPT = {0xE0, 0xEE}  # JFIF and Adobe say how to read the colours; every other APPn and COM goes
_WITHIN = {0x00, *range(0xD0, 0xD8)}  # after FF, inside the picture: a plain FF, or a restart
_FRAMES = {*range(0xC0, 0xD0)} - {0xC4, 0xC8, 0xCC}
_PNG_KEPT = {b"IHDR", b"PLTE", b"IDAT", b"IEND", b"tRNS", b"gAMA", b"cHRM", b"sRGB", b"acTL", b"fcTL", b"fdAT"}
_WEBP_KEPT = {b"VP8 ", b"VP8L", b"VP8X", b"ALPH", b"ANIM", b"ANMF"}
_GIF_LOOP = b"\x21\xff\x0bNETSCAPE2.0"


class TooLarge(ValueError):
    """It claims more pixels than anybody wants to open."""


def cleaned(content: bytes) -> bytes:
    """The picture alone. Raises ValueError when it is damaged or of another kind, TooLarge."""
    for start, part in ((b"\xff\xd8\xff", _jpeg), (b"\x89PNG\r\n\x1a\n", _png), (b"GIF8", _gif), (b"RIFF", _webp)):
        if content.startswith(start):
            try:
                return b"".join(part(content))
            except (struct.error, IndexError) as error:
                raise ValueError("the picture ends too early") from error
    raise ValueError("no picture of a known kind")


def _bounded(width: int, height: int) -> None:
    if width * height > PIXELS:
        raise TooLarge(f"{width} × {height}")


# -- JPEG -------------------------------------------------------------------------------------------------------------
def _jpeg(content: bytes) -> Iterator[bytes]:
    yield content[:2]
    place, turned = 2, False
    while True:
        if content[place] != 0xFF:
            raise ValueError("no marker where one must be")
        marker = content[place + 1]
        if marker == 0xFF:  # filling
            place += 1
            continue
        if marker == 0xD9:
            yield b"\xff\xd9"
            return
        (size,) = struct.unpack(">H", content[place + 2 : place + 4])
        if size < 2 or place + 2 + size > len(content):
            raise ValueError("a segment longer than the file")
        segment, place = content[place : place + 2 + size], place + 2 + size
        if marker in _FRAMES:
            height, width = struct.unpack(">HH", segment[5:9])
            _bounded(width, height)
        if marker == 0xE1 and not turned and (way := _orientation(segment)):
            turned = True
            yield _upright(way)
        if not (0xE0 <= marker <= 0xEF or marker == 0xFE) or marker in _JPEG_KEPT:
            yield segment
        if marker == 0xDA:  # the picture itself, up to the next real marker
            start, place = place, content.index(b"\xff", place)
            while content[place + 1] in _WITHIN:
                place = content.index(b"\xff", place + 2)
            yield content[start:place]


def _orientation(segment: bytes) -> int | None:
    """Which way up the telephone was held, 2 to 8: without it the picture would lie on its side."""
    if segment[4:10] != b"Exif\0\0" or segment[10:14] not in (b"II*\0", b"MM\0*"):
        return None
    tiff, order = segment[10:], "<" if segment[10:12] == b"II" else ">"
    try:
        (first,) = struct.unpack_from(order + "I", tiff, 4)
        (count,) = struct.unpack_from(order + "H", tiff, first)
        for number in range(min(count, 200)):
            tag, kind, _amount, way = struct.unpack_from(order + "HHIH", tiff, first + 2 + 12 * number)
            if tag == 0x0112 and kind == 3 and 2 <= way <= 8:
                return int(way)
    except struct.error:
        return None
    return None


def _upright(way: int) -> bytes:
    """An Exif segment that says this and nothing else."""
    body = b"Exif\0\0II*\0" + struct.pack("<IHHHIHHI", 8, 1, 0x0112, 3, 1, way, 0, 0)
    return b"\xff\xe1" + struct.pack(">H", len(body) + 2) + body


# -- PNG --------------------------------------------------------------------------------------------------------------
def _png(content: bytes) -> Iterator[bytes]:
    yield content[:8]
    place = 8
    while True:
        (size,) = struct.unpack(">I", content[place : place + 4])
        kind, end = content[place + 4 : place + 8], place + 12 + size
        if end > len(content):
            raise ValueError("a chunk longer than the file")
        if kind == b"IHDR":
            _bounded(*struct.unpack_from(">II", content, place + 8))
        if kind in _PNG_KEPT:
            yield content[place:end]
        place = end
        if kind == b"IEND":  # whatever follows is no part of the picture
            return


# -- GIF --------------------------------------------------------------------------------------------------------------
def _gif(content: bytes) -> Iterator[bytes]:
    width, height, packed = struct.unpack_from("<HHB", content, 6)
    _bounded(width, height)
    place = 13 + _colours(packed)
    yield content[:place]
    while True:
        kind = content[place]
        if kind == 0x3B:
            yield b"\x3b"
            return
        if kind == 0x2C:
            end = _blocks(content, place + 10 + _colours(content[place + 9]) + 1)
        elif kind == 0x21:
            end = _blocks(content, place + 2)
        else:
            raise ValueError("no block where one must be")
        loops = content[place:end].startswith(_GIF_LOOP) and end - place == len(_GIF_LOOP) + 5
        if kind == 0x2C or content[place + 1] == 0xF9 or loops:  # comments and what programs add go
            yield content[place:end]
        place = end


def _colours(packed: int) -> int:
    return 3 << ((packed & 7) + 1) if packed & 0x80 else 0


def _blocks(content: bytes, place: int) -> int:
    """Where the sub-blocks that begin here end."""
    while content[place]:
        place += content[place] + 1
    if place >= len(content):
        raise ValueError("a block longer than the file")
    return place + 1


# -- WebP -------------------------------------------------------------------------------------------------------------
def _webp(content: bytes) -> Iterator[bytes]:
    if content[8:12] != b"WEBP":
        raise ValueError("no picture")
    body = b"".join(_webp_chunks(content, 12, _WEBP_KEPT))
    yield b"RIFF" + struct.pack("<I", len(body) + 4) + b"WEBP" + body


def _webp_chunks(content: bytes, place: int, kept: set[bytes]) -> Iterator[bytes]:
    end = min(len(content), 8 + struct.unpack_from("<I", content, 4)[0]) if place == 12 else len(content)
    while place < end:
        kind, (size,) = content[place : place + 4], struct.unpack_from("<I", content, place + 4)
        body = content[place + 8 : place + 8 + size]
        if len(body) < size:
            raise ValueError("a chunk longer than the file")
        place += 8 + size + size % 2
        if kind not in kept:
            continue
        if kind == b"VP8X":
            _bounded(int.from_bytes(body[4:7], "little") + 1, int.from_bytes(body[7:10], "little") + 1)
            body = bytes([body[0] & ~0x2C]) + body[1:]  # no colour profile, Exif or XMP follows any more
        elif kind == b"VP8 ":
            width, height = struct.unpack_from("<HH", body, 6)
            _bounded(width & 0x3FFF, height & 0x3FFF)
        elif kind == b"VP8L":
            bits = int.from_bytes(body[1:5], "little")
            _bounded((bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1)
        elif kind == b"ANMF":
            body = body[:16] + b"".join(_webp_chunks(body, 16, {b"VP8 ", b"VP8L", b"ALPH"}))
        yield kind + struct.pack("<I", len(body)) + body + b"\0" * (len(body) % 2)
