"""Pictures from those who report show what they show and tell nothing else."""

from __future__ import annotations

import io

import pytest
from PIL import Image, PngImagePlugin

from engine.errors import Invalid
from processes.complaint.cleaning import cleaned

SECRET = "GPS 23.0218,113.1219 iPhone 方茶几"


def jpeg() -> bytes:
    exif = Image.Exif()
    exif[0x010F], exif[0x013B] = "iPhone", SECRET
    made = io.BytesIO()
    Image.linear_gradient("L").convert("RGB").save(made, "JPEG", exif=exif, comment=SECRET.encode(), progressive=True)
    return made.getvalue()


def png() -> bytes:
    about = PngImagePlugin.PngInfo()
    about.add_itxt("Author", SECRET)
    about.add_text("Software", "iPhone")
    made = io.BytesIO()
    Image.linear_gradient("L").save(made, "PNG", pnginfo=about, exif=Image.Exif())
    return made.getvalue()


@pytest.mark.parametrize(("made", "name"), [(jpeg(), "evidence-1.jpg"), (png(), "evidence-1.png")], ids=["jpeg", "png"])
def test_pictures_lose_everything_but_the_picture(made: bytes, name: str) -> None:
    trailing = made + SECRET.encode()
    assert b"iPhone" in trailing
    got, content = cleaned(trailing, 1)
    assert got == name and b"iPhone" not in content and "方茶几".encode() not in content
    before, after = Image.open(io.BytesIO(made)), Image.open(io.BytesIO(content))
    assert before.tobytes() == after.tobytes() and not after.getexif()
    assert cleaned(content, 1)[1] == content, "cleaning again changes nothing"


def test_plain_text_passes_under_a_name_that_tells_nothing() -> None:
    assert cleaned("聊天记录".encode(), 3) == ("evidence-3.txt", "聊天记录".encode())


@pytest.mark.parametrize("content", [b"%PDF-1.7\n", b"GIF89a" + bytes(20), b"\x00\x01\x02"])
def test_what_cannot_be_cleaned_is_refused(content: bytes) -> None:
    with pytest.raises(Invalid):
        cleaned(content, 1)


@pytest.mark.parametrize("made", [jpeg(), png()], ids=["jpeg", "png"])
def test_damaged_pictures_are_refused_and_never_hang(made: bytes) -> None:
    for cut in range(12, len(made) - 2, max(1, len(made) // 40)):
        with pytest.raises(Invalid):
            cleaned(made[:cut], 1)
