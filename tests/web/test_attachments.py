"""Files on the pages: handed in with a form, kept when the form comes back, downloaded by those who may read them."""

from __future__ import annotations

import base64
import io
import json
import re
from collections.abc import Callable
from typing import Any

import pytest

from engine import Engine, queries
from tests.web.conftest import FILES, REQUEST

Browse = Callable[[str | None], Any]
PDF = b"%PDF-1.7 something"
FIELD = {
    "type": "array",
    "items": {"type": "string"},
    "x-widget": "attachments",
    "title": {"zh-CN": "附件", "en": "Files"},
}


@pytest.fixture(autouse=True)
def with_files(engine: Engine) -> None:
    """The loan's forms with a field of files."""
    files = dict(FILES)
    for name in ("request", "review"):
        form = json.loads(files[f"sample_loan/forms/{name}.json"])
        form["properties"] = {"files": FIELD, **form["properties"]}
        if name == "review":
            shown = {
                "x-auto": "case",
                "x-prefill": "files",
                "title": {"zh-CN": "申请附件", "en": "Files of the request"},
            }
            form["properties"]["seen"] = {**FIELD, **shown}
        files[f"sample_loan/forms/{name}.json"] = json.dumps(form).encode()
    engine.deploy(files, by="sushujia")


def posted(**more: Any) -> dict[str, Any]:
    """The request as a browser posts it."""
    data: dict[str, Any] = {}
    for name, value in {**REQUEST, "partner": "luyaoyi"}.items():
        data[name] = "\n".join(value) if name == "places" else ("true" if value is True else value)
    return {**data, **more}


def test_a_file_goes_in_with_the_form_and_comes_out_as_a_download(engine: Engine, browse: Browse) -> None:
    sent = browse("michuangdian").post("/start/sample_loan", posted(files=(io.BytesIO(PDF), "报价 单.pdf")))
    assert sent.status_code == 303
    case = sent.location.rsplit("/", 1)[1]
    page = browse("michuangdian").get(f"/cases/{case}").text
    [link] = re.findall(r'href="(/attachments/[^"]+)"', page)
    assert "报价 单.pdf · 1 KB" in page
    got = browse("taochouti").get(link)
    assert got.data == PDF and got.mimetype == "application/pdf"
    assert got.headers["Content-Disposition"].startswith("attachment;")
    assert got.headers["X-Content-Type-Options"] == "nosniff" and "no-" in got.headers["Cache-Control"]
    assert browse("luyaoyi").get(link).status_code == 403  # recused
    [task] = queries.inbox(engine, actor="taochouti", tab="claimable").items
    assert link in browse("taochouti").get(f"/tasks/{task.task_id}").text


def sent_by_hand(browser: Any, content: bytes) -> Any:
    """The form with a file as bytes: the test client would leave its own temporary file open."""
    token = re.search(r'name="csrf_token" value="([^"]+)"', browser.get("/login").text)
    assert token is not None
    parts = [
        f'--b\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'
        for name, value in posted(csrf_token=token[1]).items()
    ]
    file = '--b\r\nContent-Disposition: form-data; name="files"; filename="a.txt"\r\n\r\n'
    body = ("".join(parts) + file).encode() + content + b"\r\n--b--\r\n"
    kind = "multipart/form-data; boundary=b"
    return browser.client.post("/start/sample_loan", data=body, content_type=kind)


def test_a_form_that_comes_back_still_has_its_file(browse: Browse) -> None:
    wrong = posted(count="many", files=(io.BytesIO(PDF), "a.pdf"))
    page = browse("michuangdian").post("/start/sample_loan", wrong)
    assert page.status_code == 422
    [kept] = re.findall(r'<input type="checkbox" name="files" value="([^"]+)" checked>', page.text)
    sent = browse("michuangdian").post("/start/sample_loan", posted(files=kept))
    assert sent.status_code == 303


def test_a_draft_keeps_its_files_for_its_holder_alone(engine: Engine, browse: Browse, loan: Any) -> None:
    [task] = loan.tasks
    holder = browse("taochouti")
    holder.post(f"/tasks/{task}/draft", {"files": (io.BytesIO(PDF), "a.pdf")})
    [link] = re.findall(r'href="(/attachments/[^"]+)"', holder.get(f"/tasks/{task}").text)
    assert holder.get(link).data == PDF
    assert browse("michuangdian").get(link).status_code == 404


def test_a_program_is_refused_beside_its_field(browse: Browse) -> None:
    page = browse("michuangdian").post("/start/sample_loan", posted(files=(io.BytesIO(b"MZ\x90"), "run.pdf")))
    assert page.status_code == 422 and "「run.pdf」不能上传可执行文件" in page.text


def test_a_file_over_the_limit_is_refused_and_a_huge_body_before_it_is_read(browse: Browse) -> None:
    page = sent_by_hand(browse("michuangdian"), b"x" * (20 * 1024 * 1024 + 1))
    assert page.status_code == 422 and "不得超过 20 MB" in page.text
    client = browse("michuangdian").client
    huge = {"CONTENT_LENGTH": str(2 * 1024**3), "CONTENT_TYPE": "multipart/form-data; boundary=b"}
    assert client.post("/start/sample_loan", environ_overrides=huge, input_stream=io.BytesIO(b"")).status_code == 413
    huge["CONTENT_LENGTH"] = str(2_000_000)  # elsewhere the smaller limit stays
    assert client.post("/logout", environ_overrides=huge, input_stream=io.BytesIO(b"")).status_code == 413


def test_the_api_stores_a_file_and_names_it(engine: Engine, browse: Browse) -> None:
    client = browse("michuangdian").client
    body = {"name": "a.pdf", "content": base64.b64encode(PDF).decode()}
    answer = client.post("/api/v1/attachments", json=body)
    assert answer.status_code == 201, answer.text
    made = answer.json["id"]
    assert queries.attachment(engine, made, actor="michuangdian").content == PDF
    assert client.post("/api/v1/attachments", json={"name": "a", "content": "%"}).status_code == 400
