"""Word, Excel and PowerPoint files without authors, paths, times and the marks of earlier versions.

The file is written anew part by part. Names of people in comments and tracked changes become empty; what they wrote
stays. Macros, embedded files and pictures that cannot be cleaned make the file unacceptable: `Refused`.
"""

from __future__ import annotations

import io
import posixpath
import re
import zipfile
from collections.abc import Callable

from lxml import etree

UNPACKED = 150 * 1024 * 1024  # bytes of all parts together
PART = 40 * 1024 * 1024  # bytes of one
_GONE = re.compile(r"^(docProps/|customXml/|.*/printerSettings/|.*/people\.xml$|xl/revisions/|.*\.DS_Store$|__MACOSX/)")
_FORBIDDEN = re.compile(r"(vbaProject|vbaData|/activeX/|/embeddings/|\.(exe|dll|js|bat)$)", re.IGNORECASE)
_PICTURE = re.compile(r"\.(jpe?g|png|gif|webp)$", re.IGNORECASE)
_XML = re.compile(r"\.(xml|rels|vml)$", re.IGNORECASE)
_FONT = re.compile(r"/fonts/[^/]+\.(odttf|fntdata)$", re.IGNORECASE)
_EMPTIED = {"author", "initials", "userId", "providerId", "userName", "displayName", "lastModifiedBy", "creator"}
_REMOVED = {"date", "dateUtc", "dt", "descr", "uid", "documentId", "lastEdited", "lowestEdited", "rupBuild"}
_ELEMENTS = {"rsids", "absPath", "docId", "revisionPtr", "docVars", "attachedTemplate", "fileSharing"}
_NAMED = {"cNvPr": "picture", "docPr": "picture", "cmAuthor": "", "author": ""}  # element → what its `name` becomes
_STILL = (1980, 1, 1, 0, 0, 0)


class Refused(ValueError):
    """Something in it cannot be cleaned."""


class TooLarge(ValueError):
    """It unpacks to more than it should."""


def cleaned(content: bytes, picture: Callable[[bytes], bytes]) -> bytes:
    """The file without metadata; `picture` cleans one. Raises ValueError (damaged), Refused, TooLarge."""
    made = io.BytesIO()
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as old, zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as new:
            entries = [entry for entry in old.infolist() if not entry.is_dir()]
            if sum(entry.file_size for entry in entries) > UNPACKED or any(one.file_size > PART for one in entries):
                raise TooLarge
            names = [entry.filename for entry in entries]
            if len(set(names)) != len(names) or any(".." in name.split("/") or name.startswith("/") for name in names):
                raise ValueError("parts that hide behind each other")
            if any(_FORBIDDEN.search(name) for name in names):
                raise Refused("macros or files within")
            gone = {name for name in names if _GONE.search(name)}
            for entry in entries:
                if entry.filename not in gone:
                    part = _part(entry.filename, old.read(entry), gone, picture)
                    info = zipfile.ZipInfo(entry.filename, date_time=_STILL)
                    info.compress_type = zipfile.ZIP_DEFLATED
                    new.writestr(info, part)
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, EOFError, etree.XMLSyntaxError) as error:
        raise ValueError("damaged") from error
    return made.getvalue()


def _part(name: str, content: bytes, gone: set[str], picture: Callable[[bytes], bytes]) -> bytes:
    if _XML.search(name):
        return _xml(name, content, gone)
    if _PICTURE.search(name):
        return picture(content)
    if _FONT.search(name):
        return content
    raise Refused(f"a part that cannot be cleaned: {posixpath.splitext(name)[1]}")


def _xml(name: str, content: bytes, gone: set[str]) -> bytes:
    if b"<!DOCTYPE" in content or b"<!ENTITY" in content or content[:2] in (b"\xff\xfe", b"\xfe\xff"):
        raise ValueError("a document type, or hidden in another encoding")
    parser = etree.XMLParser(resolve_entities=False, no_network=True, remove_comments=True, remove_pis=True)
    tree = etree.fromstring(content, parser)
    if name.endswith(".rels"):
        _relations(name, tree, gone)
    elif name == "[Content_Types].xml":
        for override in list(tree):
            if str(override.get("PartName", "")).lstrip("/") in gone:
                tree.remove(override)
    else:
        _scrub(tree)
    return etree.tostring(tree, xml_declaration=True, encoding="UTF-8", standalone=True)


def _relations(name: str, tree: etree._Element, gone: set[str]) -> None:
    """Forget relations to parts that are gone, and where on somebody's disk a linked file was."""
    folder = posixpath.dirname(posixpath.dirname(name))
    for relation in list(tree):
        target = str(relation.get("Target", ""))
        if relation.get("TargetMode") == "External":
            if not target.lower().startswith(("http://", "https://", "mailto:", "#")):
                if str(relation.get("Type", "")).endswith("/attachedTemplate"):
                    tree.remove(relation)
                else:
                    relation.set("Target", "about:blank")
        elif posixpath.normpath(posixpath.join("/" + folder, target)).lstrip("/") in gone:
            tree.remove(relation)


def _scrub(tree: etree._Element) -> None:
    for element in list(tree.iter(etree.Element)):
        local = etree.QName(element).localname
        parent = element.getparent()
        if local in _ELEMENTS and parent is not None:
            parent.remove(element)
            continue
        if local == "author" and element.text:  # the list of who commented in a workbook
            element.text = ""
        for key in list(element.attrib):
            attribute = etree.QName(str(key)).localname
            if attribute.startswith("rsid") or attribute in _REMOVED:
                del element.attrib[key]
            elif attribute in _EMPTIED:
                element.set(key, "")
            elif attribute == "name" and local in _NAMED:
                element.set(key, _NAMED[local])
            elif local == "pageSetup" and attribute == "id":  # the settings of somebody's printer, which are gone
                del element.attrib[key]
