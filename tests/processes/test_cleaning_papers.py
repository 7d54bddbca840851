"""PDF and Office files from those who report: what was written stays, who wrote it goes, and no file does any harm."""

from __future__ import annotations

import io
import resource
import zipfile
import zlib
from functools import cache

import openpyxl
import pikepdf
import pytest
from openpyxl.comments import Comment
from PIL import Image
from reportlab.pdfgen.canvas import Canvas

from engine.errors import Invalid
from processes.complaint.cleaning import cleaned
from processes.complaint.cleaning.child import MEMORY
from tests.processes.test_cleaning import SECRET, jpeg

WHO = "方茶几"
TYPES = (
    '<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">'
    '<Override PartName="/word/document.xml" ContentType="a"/><Override PartName="/docProps/core.xml" ContentType="b"/>'
    "</Types>"
)
W = 'xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"'
DOCUMENT = (
    f'<w:document {W}><w:body><w:p w:rsidR="00AB12CD"><w:r><w:t>十月三日收了钱</w:t></w:r>'
    f'<w:ins w:author="{WHO}" w:date="2026-11-01T08:00:00Z" w:id="1"><w:r><w:t>补充</w:t></w:r></w:ins>'
    "</w:p></w:body></w:document>"
)
RELS = (
    '<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">'
    '<Relationship Id="r1" Type="t/officeDocument" Target="word/document.xml"/>'
    '<Relationship Id="r2" Type="t/core-properties" Target="docProps/core.xml"/></Relationships>'
)
TEMPLATE = (
    '<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">'
    f'<Relationship Id="r1" Type="t/attachedTemplate" Target="file:///C:\\Users\\{WHO}\\x.dotm" TargetMode="External"/>'
    f'<Relationship Id="r2" Type="t/image" Target="file:///C:\\Users\\{WHO}\\x.png" TargetMode="External"/>'
    '<Relationship Id="r3" Type="t/hyperlink" Target="https://example.com/" TargetMode="External"/></Relationships>'
)


def docx(**more: bytes | str) -> bytes:
    parts: dict[str, bytes | str] = {
        "[Content_Types].xml": TYPES,
        "_rels/.rels": RELS,
        "word/document.xml": DOCUMENT,
        "word/_rels/settings.xml.rels": TEMPLATE,
        "docProps/core.xml": f"<x>{WHO}</x>",
        "docProps/thumbnail.jpeg": jpeg(),
        "word/people.xml": f'<w:people {W} w:author="{WHO}"/>',
        "word/media/image1.jpeg": jpeg(),
        **more,
    }
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.comment = WHO.encode()
        for name, content in parts.items():
            archive.writestr(name, content)
    return made.getvalue()


def unpacked(content: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        assert not archive.comment
        return {entry.filename: archive.read(entry) for entry in archive.infolist()}


def test_a_word_file_keeps_its_words_and_forgets_its_author() -> None:
    name, content = cleaned(docx(), 2)
    parts = unpacked(content)
    assert name == "evidence-2.docx"
    assert set(parts) == {
        "[Content_Types].xml",
        "_rels/.rels",
        "word/document.xml",
        "word/_rels/settings.xml.rels",
        "word/media/image1.jpeg",
    }
    together = b"".join(parts.values())
    for words in (WHO.encode(), b"iPhone", b"docProps", b"00AB12CD", b"2026-11-01", b"Users"):
        assert words not in together, words
    document = parts["word/document.xml"].decode()
    assert "十月三日收了钱" in document and "补充" in document
    assert b"https://example.com/" in parts["word/_rels/settings.xml.rels"]
    assert cleaned(content, 2)[1] == content, "cleaning again changes nothing, and no time is in it"


def test_a_workbook_still_opens_with_its_numbers_and_without_its_people() -> None:
    book = openpyxl.Workbook()
    book.properties.creator = WHO
    sheet = book.active
    assert sheet is not None
    sheet["A1"], sheet["B1"] = "返现", 500
    sheet["A1"].comment = Comment("说好的", WHO)
    made = io.BytesIO()
    book.save(made)
    name, content = cleaned(made.getvalue(), 1)
    assert name == "evidence-1.xlsx"
    again = openpyxl.load_workbook(io.BytesIO(content)).active
    assert again is not None and (again["A1"].value, again["B1"].value) == ("返现", 500)
    assert again["A1"].comment is not None and "说好的" in again["A1"].comment.text
    assert WHO.encode() not in b"".join(unpacked(content).values())


@pytest.mark.parametrize(
    "part",
    [
        {"word/vbaProject.bin": b"x"},
        {"word/embeddings/oleObject1.bin": b"x"},
        {"word/media/image2.emf": b"x"},
        {"word/media/image2.png": b"no picture"},
        {"word/document.xml": b"<w:document"},
        {"word/styles.xml": b'<!DOCTYPE a [<!ENTITY b "bb">]><a>&b;</a>'},
        {"../../etc/passwd": b"x"},
    ],
    ids=lambda part: next(iter(part)),
)
def test_a_word_file_that_cannot_be_cleaned_is_refused_in_words(part: dict[str, bytes]) -> None:
    with pytest.raises(Invalid) as refused:
        cleaned(docx(**part), 1)
    assert any(word in refused.value.message["zh-CN"] for word in ("损坏", "宏"))


def paper(encrypt: bool = False) -> bytes:
    made = io.BytesIO()
    canvas = Canvas(made)
    canvas.setAuthor(WHO)
    picture = io.BytesIO(jpeg())
    canvas.drawInlineImage(Image.open(picture), 100, 600, 64, 64)
    canvas.drawString(100, 700, "paid on 3 October")
    canvas.showPage()
    canvas.save()
    with pikepdf.open(io.BytesIO(made.getvalue())) as pdf:
        with pdf.open_metadata() as about:
            about["dc:creator"] = [WHO]
        pdf.docinfo["/Creator"] = "Word on FANG-LAPTOP"
        page = pdf.pages[0].obj
        photo = pikepdf.Stream(
            pdf, jpeg(), Type=pikepdf.Name.XObject, Subtype=pikepdf.Name.Image, Width=256, Height=256
        )
        photo.Filter = pikepdf.Name.DCTDecode
        page["/Resources"]["/XObject"] = pikepdf.Dictionary(P=pdf.make_indirect(photo))
        remark = pikepdf.Dictionary(
            Type=pikepdf.Name.Annot,
            Subtype=pikepdf.Name.Text,
            Rect=[0, 0, 10, 10],
            T=WHO,
            Contents="see here",
            M="D:20261101",
            A=pikepdf.Dictionary(S=pikepdf.Name.JavaScript, JS="app.alert(1)"),
        )
        page["/Annots"] = pikepdf.Array([remark])
        pdf.attachments["secret.txt"] = SECRET.encode()
        pdf.Root["/OpenAction"] = pikepdf.Dictionary(S=pikepdf.Name.JavaScript, JS="app.alert(2)")
        out = io.BytesIO()
        pdf.save(out, encryption=pikepdf.Encryption(user="u", owner="o") if encrypt else False)
    return out.getvalue()


def everything(content: bytes) -> bytes:
    """All that the file says, its streams unpacked."""
    out = io.BytesIO()
    with pikepdf.open(io.BytesIO(content)) as pdf:
        pdf.save(out, compress_streams=False, stream_decode_level=pikepdf.StreamDecodeLevel.generalized, qdf=True)
    return out.getvalue()


def test_a_pdf_keeps_its_pages_and_forgets_who_made_them() -> None:
    before = everything(paper())
    secrets = (
        b"FANG-LAPTOP",
        b"iPhone",
        b"app.alert",
        b"D:20261101",
        b"secret.txt",
        WHO.encode("utf-16-be").hex().encode(),
    )
    assert all(words in before for words in secrets), [words for words in secrets if words not in before]
    name, content = cleaned(paper(), 4)
    after = everything(content)
    for words in (*secrets, WHO.encode(), b"CreationDate", b"ModDate", b"/Producer"):
        assert words not in after, words
    assert name == "evidence-4.pdf" and b"paid on 3 October" in after and b"see here" in after
    with pikepdf.open(io.BytesIO(content)) as pdf:
        assert len(pdf.pages) == 1 and pdf.pages[0].get_images()
    assert cleaned(content, 4)[1] == content


@pytest.mark.parametrize(
    "made", [paper(encrypt=True), b"%PDF-1.7\nnothing", paper()[:400]], ids=["locked", "empty", "cut"]
)
def test_a_pdf_that_cannot_be_read_is_refused_in_words(made: bytes) -> None:
    with pytest.raises(Invalid) as refused:
        cleaned(made, 1)
    assert "已损坏或加密" in refused.value.message["zh-CN"]


# -- bombs ------------------------------------------------------------------------------------------------------------
@cache
def pressed(size: int) -> bytes:
    """Zeros, deflated without holding them all at once."""
    press = zlib.compressobj(9)
    return b"".join(press.compress(bytes(1 << 20)) for _ in range(size >> 20)) + press.flush()


def pdf_bomb(kind: str) -> bytes:
    """A PDF whose objects are in a stream that unpacks to a gigabyte and a half."""
    body, places = b"%PDF-1.7\n", {}
    stream = pressed(1536 << 20)
    parts = {
        1: b"<</Type/Catalog/Pages 2 0 R>>",
        2: b"<</Type/Pages/Count 1/Kids[3 0 R]>>",
        3: b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 9 9]/Contents 4 0 R/Annots 5 0 R>>",
        4: b"<</Filter/FlateDecode/Length %d%s>>stream\n%s\nendstream" % (len(stream), kind.encode(), stream),
    }
    for number, part in parts.items():
        places[number] = len(body)
        body += b"%d 0 obj%s\nendobj\n" % (number, part)
    rows = b"".join(b"\1" + places[number].to_bytes(4, "big") + b"\0" for number in parts) + b"\2\0\0\0\4\0"
    at = len(body)
    body += b"6 0 obj<</Type/XRef/W[1 4 1]/Index[1 5]/Size 7/Root 1 0 R/Length %d>>stream\n%s\nendstream\nendobj\n" % (
        len(rows),
        rows,
    )
    return body + b"startxref\n%d\n%%%%EOF\n" % at


@pytest.mark.parametrize("kind", ["/Type/ObjStm/N 1/First 4", ""], ids=["in its objects", "in a page"])
def test_a_bomb_in_a_pdf_stays_folded_in_its_box(kind: str) -> None:
    try:
        assert len(cleaned(pdf_bomb(kind), 1)[1]) < 8 << 20
    except Invalid as refused:
        assert "展开后过大" in refused.message["zh-CN"]
    most = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * 1024
    assert most < MEMORY, "whatever it does, it does within its bounds"


def test_office_bombs_are_refused_before_they_unpack() -> None:
    for name in ("word/document.xml", "word/media/image1.png"):
        made = io.BytesIO()
        with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive, archive.open(name, "w") as part:
            for _ in range(300):
                part.write(bytes(1 << 20))
        with pytest.raises(Invalid, match="unpacks"):
            cleaned(made.getvalue(), 1)


def test_a_file_within_that_claims_less_than_it_holds_is_cut_off_and_refused() -> None:
    content = bytearray(docx(**{"word/styles.xml": b"<a>" + b" " * 4_000_000 + b"</a>"}))
    real, claimed = (4_000_007).to_bytes(4, "little"), (9).to_bytes(4, "little")
    assert bytes(content).count(real) == 2
    with pytest.raises(Invalid):
        cleaned(bytes(content).replace(real, claimed), 1)


def test_pictures_that_claim_too_many_pixels_are_refused() -> None:
    small = io.BytesIO()
    Image.new("L", (8, 8)).save(small, "PNG")
    png = bytearray(small.getvalue())
    png[16:24] = (60_000).to_bytes(4, "big") * 2
    gif = io.BytesIO()
    Image.new("L", (8, 8)).save(gif, "GIF")
    wide = bytearray(gif.getvalue())
    wide[6:10] = b"\xff\xff\xff\xff"
    for made in (png, wide):
        with pytest.raises(Invalid, match="unfolds"):
            cleaned(bytes(made), 1)
