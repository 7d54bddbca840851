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


def gif() -> bytes:
    frames = [Image.linear_gradient("L").resize((16, 16)), Image.new("L", (16, 16), 9)]
    made = io.BytesIO()
    frames[0].save(made, "GIF", save_all=True, append_images=frames[1:], loop=0, duration=50, comment=SECRET.encode())
    return made.getvalue()


def webp(animated: bool = False) -> bytes:
    frames = [Image.linear_gradient("L").convert("RGB").resize((32, 32)), Image.new("RGB", (32, 32), "red")]
    exif = Image.Exif()
    exif[0x010F], exif[0x013B] = "iPhone", SECRET
    made, more = io.BytesIO(), {"save_all": True, "append_images": frames[1:]} if animated else {}
    frames[0].save(made, "WEBP", exif=exif, xmp=b"<x>iPhone</x>", icc_profile=b"iPhone" * 40, **more)
    return made.getvalue()


@pytest.mark.parametrize(
    ("made", "name"), [(gif(), "gif"), (webp(), "webp"), (webp(True), "webp")], ids=["gif", "webp", "moving webp"]
)
def test_gif_and_webp_lose_everything_but_the_picture(made: bytes, name: str) -> None:
    assert b"iPhone" in made
    got, content = cleaned(made + SECRET.encode(), 7)
    assert got == f"evidence-7.{name}" and b"iPhone" not in content and "方茶几".encode() not in content
    before, after = Image.open(io.BytesIO(made)), Image.open(io.BytesIO(content))
    assert getattr(before, "n_frames", 1) == getattr(after, "n_frames", 1)
    for frame in range(getattr(before, "n_frames", 1)):
        before.seek(frame)
        after.seek(frame)
        assert before.convert("RGB").tobytes() == after.convert("RGB").tobytes()
    assert cleaned(content, 7)[1] == content


@pytest.mark.parametrize("made", [gif(), webp(), webp(True)], ids=["gif", "webp", "moving webp"])
def test_cut_gif_and_webp_are_refused_or_end_where_they_end(made: bytes) -> None:
    for cut in range(12, len(made) - 2, max(1, len(made) // 60)):
        try:
            assert len(cleaned(made[:cut], 1)[1]) <= cut
        except Invalid:
            continue


@pytest.mark.parametrize("way", [1, 3, 6, 8])
def test_a_photograph_stays_upright(way: int) -> None:
    exif = Image.Exif()
    exif[0x0112], exif[0x013B] = way, SECRET
    made = io.BytesIO()
    Image.linear_gradient("L").save(made, "JPEG", exif=exif)
    content = cleaned(made.getvalue(), 1)[1]
    kept = dict(Image.open(io.BytesIO(content)).getexif())
    assert kept == ({} if way == 1 else {0x0112: way}) and cleaned(content, 1)[1] == content


@pytest.mark.parametrize(
    "content", [b"", b"PK\x03\x04", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", b"GIF89a", b"\x00\x01\x02"]
)
def test_what_cannot_be_cleaned_is_refused(content: bytes) -> None:
    with pytest.raises(Invalid):
        cleaned(content, 1)


@pytest.mark.parametrize("made", [jpeg(), png()], ids=["jpeg", "png"])
def test_damaged_pictures_are_refused_and_never_hang(made: bytes) -> None:
    for cut in range(12, len(made) - 2, max(1, len(made) // 40)):
        with pytest.raises(Invalid):
            cleaned(made[:cut], 1)
