"""What a file is, by its content: its name proves nothing."""

from __future__ import annotations

import io
import zipfile
import zlib

from engine.errors import Invalid, Text

UNPACKED_CAP = 200 * 1024 * 1024  # bytes an archive may claim to unpack to
RATIO_CAP = 200  # times its own size, for anything that unpacks to more than SMALL
SMALL = 10 * 1024 * 1024
ENTRIES_CAP = 10_000
UNKNOWN = "application/octet-stream"

_SIGNATURES = (  # (offset, bytes, type)
    (0, b"%PDF-", "application/pdf"),
    (0, b"\x89PNG\r\n\x1a\n", "image/png"),
    (0, b"\xff\xd8\xff", "image/jpeg"),
    (0, b"GIF87a", "image/gif"),
    (0, b"GIF89a", "image/gif"),
    (8, b"WEBP", "image/webp"),
    (8, b"WAVE", "audio/wav"),
    (4, b"ftypheic", "image/heic"),
    (4, b"ftypqt", "video/quicktime"),
    (4, b"ftypM4A", "audio/mp4"),
    (4, b"ftyp", "video/mp4"),
    (0, b"ID3", "audio/mpeg"),
    (0, b"\xff\xfb", "audio/mpeg"),
    (0, b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "application/x-ole-storage"),  # doc, xls, ppt, msg
    (0, b"II*\x00", "image/tiff"),
    (0, b"MM\x00*", "image/tiff"),
)
_PROGRAMS = (b"MZ", b"\x7fELF", b"\xfe\xed\xfa", b"\xcf\xfa\xed\xfe", b"\xca\xfe\xba\xbe", b"#!")
_ARCHIVES = (".zip", ".gz", ".tgz", ".7z", ".rar", ".xz", ".bz2", ".zst", ".tar", ".jar")
_OTHER_ARCHIVES = (  # what cannot be looked into before somebody unpacks it
    b"\x1f\x8b",  # gzip
    b"BZh",
    b"\xfd7zXZ\x00",
    b"7z\xbc\xaf\x27\x1c",
    b"Rar!\x1a\x07",
    b"\x28\xb5\x2f\xfd",  # zstd
    b"\x04\x22\x4d\x18",  # lz4
    b"MSCF",
)
_ZIP = (b"PK\x03\x04", b"PK\x05\x06", b"PK\x07\x08")
_PIECE = 64 * 1024
_INNER_CAP = 20 * 1024 * 1024  # bytes of a file within a file that is looked into
_DEEPEST = 2  # a document in an archive, and what is embedded in it
_OFFICE = {
    "word/": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    "xl/": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "ppt/": "application/vnd.openxmlformats-officedocument.presentationml.presentation",
}
_BOMB: Text = {
    "zh-CN": "压缩包解压后过大，不能上传",
    "en": "The archive unpacks to far more than it holds and is not accepted",
}
_NESTED: Text = {
    "zh-CN": "压缩包内不得再含压缩包，请直接上传其中的文件",
    "en": "An archive within an archive is not accepted; upload the files themselves",
}
_BROKEN: Text = {"zh-CN": "压缩包已损坏，不能上传", "en": "The archive is damaged and is not accepted"}
_PACKED: Text = {
    "zh-CN": "压缩文件只接受 ZIP，请改用 ZIP 或直接上传其中的文件",
    "en": "Of archives only ZIP is accepted; use that, or upload the files themselves",
}
_LOCKED: Text = {
    "zh-CN": "压缩包加了密码，无法检查，不能上传",
    "en": "The archive has a password, so it cannot be looked into and is not accepted",
}
_PROGRAM: Text = {"zh-CN": "不能上传可执行文件", "en": "Programs are not accepted"}


def type_of(content: bytes) -> str:
    """The MIME type by content. Raises Invalid for programs, archives that cannot be looked into, damaged ones, and
    ones that unpack to far more than they hold: first as they claim, then as they really do, a piece at a time."""
    if content.startswith(_PROGRAMS):
        raise Invalid({"file": _PROGRAM}, text=_PROGRAM)
    if content.startswith(_OTHER_ARCHIVES) or content[257:262] == b"ustar":
        raise Invalid({"file": _PACKED}, text=_PACKED)
    if content.startswith(_ZIP):
        return _archive(content, _Budget(len(content)))
    for offset, signature, name in _SIGNATURES:
        if content[offset : offset + len(signature)] == signature:
            return name
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError:
        return UNKNOWN
    return UNKNOWN if "\0" in text else "text/plain"


class _Budget:
    """How many bytes an upload may still unpack to, archives within it included."""

    def __init__(self, size: int) -> None:
        self.left = min(UNPACKED_CAP, max(SMALL, RATIO_CAP * size))

    def spend(self, amount: int) -> None:
        self.left -= amount
        if self.left < 0:
            raise Invalid({"file": _BOMB}, text=_BOMB)


def _archive(content: bytes, budget: _Budget, *, depth: int = 0, office_only: bool = False) -> str:
    """The type of a ZIP file. Nothing is written anywhere; what it says of itself is not believed."""
    if depth > _DEEPEST:
        raise Invalid({"file": _NESTED}, text=_NESTED)
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            entries = archive.infolist()
            if len(entries) > ENTRIES_CAP or sum(entry.file_size for entry in entries) > budget.left:
                raise Invalid({"file": _BOMB}, text=_BOMB)
            if any(entry.flag_bits & 1 for entry in entries):
                raise Invalid({"file": _LOCKED}, text=_LOCKED)
            found = next((kind for folder, kind in _OFFICE.items() if _has(entries, folder)), "application/zip")
            office = found != "application/zip"
            if office_only and not office:
                raise Invalid({"file": _NESTED}, text=_NESTED)
            for entry in entries:
                inner = _unpacked(archive, entry, budget, office=office)
                if inner:
                    _archive(inner, budget, depth=depth + 1, office_only=not office)
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, OSError, RuntimeError, ValueError) as error:
        raise Invalid({"file": _BROKEN}, text=_BROKEN) from error
    return found


def _has(entries: list[zipfile.ZipInfo], folder: str) -> bool:
    return any(entry.filename.startswith(folder) for entry in entries)


def _unpacked(archive: zipfile.ZipFile, entry: zipfile.ZipInfo, budget: _Budget, *, office: bool) -> bytes:
    """Unpack an entry a piece at a time and throw it away, but for an archive in it, which is returned."""
    if entry.filename.lower().endswith(_ARCHIVES) and not office:
        raise Invalid({"file": _NESTED}, text=_NESTED)
    kept = bytearray()
    with archive.open(entry) as stream:
        while piece := stream.read(_PIECE):
            budget.spend(len(piece))
            if not kept and not office and piece.startswith(_OTHER_ARCHIVES):
                raise Invalid({"file": _NESTED}, text=_NESTED)
            if kept or piece.startswith(_ZIP):
                kept += piece
                if len(kept) > _INNER_CAP:
                    raise Invalid({"file": _BOMB}, text=_BOMB)
    return bytes(kept)
