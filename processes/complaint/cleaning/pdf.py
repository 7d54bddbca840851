"""PDF files without authors, times, programs, embedded files, scripts and earlier versions.

The file is written anew from what its pages show. Metadata streams, document information, the private data of
programs, names in remarks, signatures and the data inside JPEG pictures go.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from typing import Any

import pikepdf
from pikepdf import Array, Dictionary, Name, Stream

_EVERYWHERE = ("/Metadata", "/PieceInfo", "/LastModified", "/AA", "/AF", "/CreatorInfo", "/JS", "/EF", "/XFA")
_ROOT = ("/OpenAction", "/Perms", "/Legal", "/Collection", "/SpiderInfo", "/DSS", "/Requirements", "/URI")
_NAMES = ("/JavaScript", "/EmbeddedFiles", "/AlternatePresentations", "/Renditions")
_REMARK = ("/T", "/M", "/CreationDate", "/NM", "/RC", "/Subj", "/FS", "/Sound", "/Movie")
_HARMLESS = ("/URI", "/GoTo", "/Named")
_BOXES = (b"uuid", b"xml ", b"jp2i", b"asoc", b"nlst")


def cleaned(content: bytes, picture: Callable[[bytes], bytes]) -> bytes:
    """The file without metadata; `picture` cleans one. Raises ValueError when it is damaged or needs a password."""
    try:
        with pikepdf.open(io.BytesIO(content), suppress_warnings=True) as pdf:
            if len(pdf.pages) == 0:
                raise ValueError("no page")
            _whole(pdf)
            for part in pdf.objects:
                for each in _nested(part):
                    _one(each, picture)
            made = io.BytesIO()
            pdf.save(made, static_id=True, object_stream_mode=pikepdf.ObjectStreamMode.disable)
            return made.getvalue()
    except (pikepdf.PdfError, pikepdf.PasswordError, RuntimeError, KeyError, TypeError, IndexError) as error:
        raise ValueError("damaged, or behind a password") from error


def _whole(pdf: pikepdf.Pdf) -> None:
    if "/Info" in pdf.trailer:
        del pdf.trailer["/Info"]
    for key in _ROOT:
        _without(pdf.Root, key)
    names = pdf.Root.get("/Names")
    if isinstance(names, Dictionary):
        for key in _NAMES:
            _without(names, key)


def _nested(part: Any, depth: int = 0) -> Iterator[Any]:
    """A dictionary or stream and the direct ones within it; indirect ones come by themselves."""
    if depth > 20:
        raise ValueError("nested too deep")
    if isinstance(part, Dictionary | Stream):
        yield part
        inner = [value for _key, value in part.items()]
    elif isinstance(part, Array):
        inner = list(part)
    else:
        return
    for value in inner:
        if isinstance(value, Dictionary | Array) and not value.is_indirect:
            yield from _nested(value, depth + 1)


def _one(part: Any, picture: Callable[[bytes], bytes]) -> None:
    for key in _EVERYWHERE:
        _without(part, key)
    subtype = str(part.get("/Subtype", ""))
    if "/Rect" in part and subtype:  # an annotation
        if subtype != "/Widget":
            for key in _REMARK:
                _without(part, key)
        action = part.get("/A")
        if isinstance(action, Dictionary) and str(action.get("/S", "")) not in _HARMLESS:
            _without(part, "/A")
    if part.get("/FT") == Name.Sig:
        for key in ("/V", "/AP"):
            _without(part, key)
    if isinstance(part, Stream) and subtype == "/Image":
        kinds = part.get("/Filter")
        single = kinds[0] if isinstance(kinds, Array) and len(kinds) == 1 else kinds
        if single == Name.DCTDecode:
            parameters: Any = part.get("/DecodeParms")
            part.write(picture(part.read_raw_bytes()), filter=Name.DCTDecode, decode_parms=parameters)
        elif single == Name.JPXDecode:
            part.write(_jp2(part.read_raw_bytes()), filter=Name.JPXDecode)


def _jp2(content: bytes) -> bytes:
    """A JPEG 2000 file without the boxes that hold metadata; a bare picture as it is."""
    if content[4:8] != b"jP  ":
        return content
    kept, place = b"", 0
    while place + 8 <= len(content):
        size = int.from_bytes(content[place : place + 4], "big")
        size = int.from_bytes(content[place + 8 : place + 16], "big") if size == 1 else size or len(content) - place
        if size < 8:
            raise ValueError("a box without end")
        if content[place + 4 : place + 8] not in _BOXES:
            kept += content[place : place + size]
        place += size
    return kept


def _without(part: Any, key: str) -> None:
    if key in part:
        del part[key]
