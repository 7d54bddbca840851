"""Files from those who report, without what would tell on them: place, device, author, times, paths, earlier versions.

Pictures are cut up in place and never decoded. PDF and Office files are taken apart in a process of their own, with
little memory and little time and nothing in its environment: whatever is in them, it ends there. Kinds of files that
cannot be cleaned are refused, with the reason.
"""

from __future__ import annotations

import subprocess
import sys
import threading
from pathlib import Path

from engine.errors import Invalid, Text, Unavailable
from engine.filetypes import type_of
from processes.complaint.cleaning import pictures

OFFICE = "application/vnd.openxmlformats-officedocument."
EXTENSIONS = {
    **pictures.EXTENSIONS,
    "text/plain": "txt",
    "application/pdf": "pdf",
    OFFICE + "wordprocessingml.document": "docx",
    OFFICE + "spreadsheetml.sheet": "xlsx",
    OFFICE + "presentationml.presentation": "pptx",
}
ACCEPTED: Text = {
    "zh-CN": "JPEG、PNG、GIF、WebP 图片，PDF，Word、Excel、PowerPoint（docx、xlsx、pptx）和纯文本",
    "en": "JPEG, PNG, GIF and WebP pictures, PDF, Word, Excel and PowerPoint (docx, xlsx, pptx) and plain text",
}
_SECONDS = 30
_REFUSED: Text = {
    "zh-CN": f"格式无法清除作者、设备等信息。只收{ACCEPTED['zh-CN']}；其他内容请截图或另存为 PDF",
    "en": f"is of a kind that author and device cannot be removed from. Taken are {ACCEPTED['en']}; "
    "make a screenshot or a PDF of anything else",
}
_BROKEN: Text = {
    "zh-CN": "已损坏或加密，请重新导出或截图",
    "en": "is damaged or encrypted; export it anew or take a screenshot",
}
_WITHIN: Text = {
    "zh-CN": "含有宏、内嵌文件或无法清除的图片，请另存为 PDF 或截图",
    "en": "holds macros, files or pictures that cannot be cleaned; save it as PDF or take a screenshot",
}
_LARGE: Text = {
    "zh-CN": "展开后过大，请分开或截图",
    "en": "unfolds to far more than it should; split it or take a screenshot",
}
_BUSY: Text = {"zh-CN": "正在处理的文件较多，请稍后再试", "en": "Many files are being looked at; try again shortly"}
_SAID = {1: _BROKEN, 2: _BROKEN, 3: _WITHIN, 4: _LARGE}  # the exit codes of `child`
_turns = threading.BoundedSemaphore(2)


def cleaned(content: bytes, number: int) -> tuple[str, bytes]:
    """(a name that tells nothing, the content without metadata). Raises Invalid; Unavailable when there is a queue."""
    if not content:
        text: Text = {"zh-CN": "是空的", "en": "is empty"}
        raise Invalid({"file": text}, text=text)
    kind = type_of(content)
    if kind not in EXTENSIONS:
        raise Invalid({"file": _REFUSED}, text=_REFUSED)
    if kind in pictures.EXTENSIONS:
        try:
            content = pictures.cleaned(content)
        except pictures.TooLarge as error:
            raise Invalid({"file": _LARGE}, text=_LARGE) from error
        except ValueError as error:
            raise Invalid({"file": _BROKEN}, text=_BROKEN) from error
    elif kind != "text/plain":
        content = _apart("pdf" if kind == "application/pdf" else "office", content)
    return f"evidence-{number}.{EXTENSIONS[kind]}", content


def _apart(kind: str, content: bytes) -> bytes:
    """What the child makes of the file."""
    if not _turns.acquire(timeout=_SECONDS):
        raise Unavailable("cleaning_busy", text=_BUSY)
    try:
        child = str(Path(__file__).with_name("child.py"))
        done = subprocess.run(
            [sys.executable, "-I", child, kind],
            input=content,
            capture_output=True,
            timeout=_SECONDS,
            env={},
            check=False,
        )
        code, made = done.returncode, done.stdout
    except subprocess.TimeoutExpired:
        code, made = 4, b""
    finally:
        _turns.release()
    if code or not made:  # killed for its memory or its time: as if it had said that it is too large
        said = _SAID.get(code, _LARGE)
        raise Invalid({"file": said}, text=said)
    return made
