"""XML from strangers: no document type, no entities, no network, bounded in size and depth."""

from __future__ import annotations

import re
from typing import Any, ClassVar, cast

from lxml import etree

from engine.errors import GuijuError, Text

SIZE = 2 * 1024 * 1024  # bytes of one file
ELEMENTS = 20_000  # elements of one file

_DOCTYPE = re.compile(rb"<!\s*(DOCTYPE|ENTITY)", re.IGNORECASE)
_DECLARED = re.compile(rb"\A(?:\xef\xbb\xbf)?\s*<\?xml[^>]*?encoding\s*=\s*[\"']([^\"']*)[\"']", re.IGNORECASE)


class XmlRefused(GuijuError):
    """The bytes are not XML that may be read. `line` counts from 1."""

    status = 422
    code = "xml"
    text: ClassVar[Text] = {"zh-CN": "不是可读取的 XML", "en": "This is not XML that may be read"}

    def __init__(self, code: str, zh: str, en: str, *, line: int = 1) -> None:
        self.line = line
        super().__init__(code, text={"zh-CN": zh, "en": en})


def read_xml(data: bytes) -> etree._Element:
    """The root element. Raises `XmlRefused`; never fetches anything and never expands an entity."""
    if len(data) > SIZE:
        raise XmlRefused("xml-size", "文件超过 2 MB", "The file is larger than 2 MB")
    encoding = _DECLARED.match(data)
    if encoding and encoding.group(1).lower() not in (b"utf-8", b"utf8", b"us-ascii"):
        raise XmlRefused("xml-encoding", "文件须为 UTF-8 编码", "The file must be in UTF-8")
    try:
        data.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise XmlRefused("xml-encoding", "文件须为 UTF-8 编码", "The file must be in UTF-8") from None
    forbidden = _DOCTYPE.search(data)
    if forbidden:
        line = data.count(b"\n", 0, forbidden.start()) + 1
        raise XmlRefused(
            "xml-doctype", "不允许 DOCTYPE 和实体声明", "DOCTYPE and entity declarations are not allowed", line=line
        )
    parser = etree.XMLParser(
        resolve_entities=False, no_network=True, load_dtd=False, dtd_validation=False, huge_tree=False, recover=False
    )
    try:
        root = etree.fromstring(data, parser)
    except (etree.XMLSyntaxError, ValueError) as error:
        line = getattr(error, "lineno", None) or 1
        raise XmlRefused("xml-syntax", "XML 格式有误，无法读取", "The XML is not well formed", line=line) from None
    about: Any = root.getroottree().docinfo
    if about.doctype or about.internalDTD is not None:
        raise XmlRefused("xml-doctype", "不允许 DOCTYPE", "DOCTYPE is not allowed")
    around = [*root.itersiblings(preceding=True), *root.itersiblings()]
    for count, node in enumerate([*around, *root.iter()]):
        if count > ELEMENTS:
            raise XmlRefused("xml-size", f"元素超过 {ELEMENTS} 个", f"There are more than {ELEMENTS} elements")
        if isinstance(node, (etree._Entity, etree._ProcessingInstruction)):
            line = int(cast(int, node.sourceline) or 1)
            raise XmlRefused(
                "xml-doctype", "不允许实体和处理指令", "Entities and processing instructions are not allowed", line=line
            )
    return root
