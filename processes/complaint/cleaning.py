"""Files from those who report, without what would tell on them: place, device, author, times.

Pictures lose everything but the picture, by dropping the parts of the file that carry the rest; nothing is decoded, so
a picture cannot be a bomb. Kinds of files that cannot be cleaned this way are refused, with the reason.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator

from engine.errors import Invalid, Text
from engine.filetypes import type_of

_JPEG_KEPT = {0xE0, 0xEE}  # JFIF and Adobe say how to read the colours; every other APPn and COM goes
_WITHIN = {0x00, *range(0xD0, 0xD8)}  # after FF, inside the picture: a plain FF, or a restart
_PNG_KEPT = {b"IHDR", b"PLTE", b"IDAT", b"IEND", b"tRNS", b"gAMA", b"cHRM", b"sRGB", b"acTL", b"fcTL", b"fdAT"}
_EXTENSION = {"image/jpeg": "jpg", "image/png": "png", "text/plain": "txt"}
_REFUSED: Text = {
    "zh-CN": "只收 JPEG、PNG 图片和纯文本：其他格式会带有作者、设备等信息，请截图后上传",
    "en": "can only be JPEG, PNG or plain text: other kinds carry author and device; send a screenshot instead",
}
_BROKEN: Text = {"zh-CN": "图片已损坏，请重新截图", "en": "is a damaged picture; take it again"}


def cleaned(content: bytes, number: int) -> tuple[str, bytes]:
    """(a name that tells nothing, the content without metadata). Raises Invalid."""
    kind = type_of(content)
    if kind not in _EXTENSION:
        raise Invalid({"file": _REFUSED}, text=_REFUSED)
    try:
        if kind == "image/jpeg":
            content = b"".join(_jpeg(content))
        elif kind == "image/png":
            content = b"".join(_png(content))
    except (struct.error, IndexError, ValueError) as error:
        raise Invalid({"file": _BROKEN}, text=_BROKEN) from error
    return f"evidence-{number}.{_EXTENSION[kind]}", content


def _jpeg(content: bytes) -> Iterator[bytes]:
    yield content[:2]
    place = 2
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
        if not (0xE0 <= marker <= 0xEF or marker == 0xFE) or marker in _JPEG_KEPT:
            yield segment
        if marker == 0xDA:  # the picture itself, up to the next real marker
            start, place = place, content.index(b"\xff", place)
            while content[place + 1] in _WITHIN:
                place = content.index(b"\xff", place + 2)
            yield content[start:place]


def _png(content: bytes) -> Iterator[bytes]:
    yield content[:8]
    place = 8
    while True:
        (size,) = struct.unpack(">I", content[place : place + 4])
        kind, end = content[place + 4 : place + 8], place + 12 + size
        if end > len(content):
            raise ValueError("a chunk longer than the file")
        if kind in _PNG_KEPT:
            yield content[place:end]
        place = end
        if kind == b"IEND":  # whatever follows is no part of the picture
            return
