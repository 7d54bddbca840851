"""What a file is, by its content: its name proves nothing."""

from __future__ import annotations

import io
import zipfile

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
_PROGRAM: Text = {"zh-CN": "不能上传可执行文件", "en": "Programs are not accepted"}


def type_of(content: bytes) -> str:
    """The MIME type by content. Raises Invalid for programs, damaged archives and archives that unpack to far more than
    they hold (nothing is unpacked to find out)."""
    if content.startswith(_PROGRAMS):
        raise Invalid({"file": _PROGRAM}, text=_PROGRAM)
    if content.startswith(b"PK\x03\x04"):
        return _archive(content)
    for offset, signature, name in _SIGNATURES:
        if content[offset : offset + len(signature)] == signature:
            return name
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError:
        return UNKNOWN
    return UNKNOWN if "\0" in text else "text/plain"


def _archive(content: bytes) -> str:
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            entries = archive.infolist()
    except (zipfile.BadZipFile, NotImplementedError, ValueError) as error:
        raise Invalid({"file": _BROKEN}, text=_BROKEN) from error
    unpacked = sum(entry.file_size for entry in entries)
    bloated = unpacked > SMALL and unpacked > RATIO_CAP * len(content)
    if len(entries) > ENTRIES_CAP or unpacked > UNPACKED_CAP or bloated:
        raise Invalid({"file": _BOMB}, text=_BOMB)
    for folder, name in _OFFICE.items():
        if any(entry.filename.startswith(folder) for entry in entries):
            return name
    if any(entry.filename.lower().endswith(_ARCHIVES) for entry in entries):
        raise Invalid({"file": _NESTED}, text=_NESTED)
    return "application/zip"
