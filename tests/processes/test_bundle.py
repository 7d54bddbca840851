"""What is gathered for a deployment, from folders as people keep them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from engine.errors import Invalid
from processes.bundle import collect, shipped

DIAGRAM = """<definitions xmlns="http://www.omg.org/spec/BPMN/20100524/MODEL"
  xmlns:spiffworkflow="http://spiffworkflow.org/bpmn/schema/1.0/core"><process id="{process}">
  <userTask id="ask"><extensionElements><spiffworkflow:properties>
  <spiffworkflow:property name="form" value="ask"/></spiffworkflow:properties></extensionElements></userTask>
</process></definitions>"""
FORM = json.dumps({"type": "object", "properties": {}})


def diagram(folder: Path, name: str = "leave") -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{name}.bpmn"
    path.write_text(DIAGRAM.format(process=name), encoding="utf-8")
    return path


def form(path: Path, content: str = FORM) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content, encoding="utf-8")
    return path


@pytest.mark.parametrize("place", ["ask.json", "forms/ask.json", "leave/forms/ask.json"])
def test_a_form_is_found_wherever_a_designer_may_put_it(tmp_path: Path, place: str) -> None:
    path = diagram(tmp_path)
    form(tmp_path / place)
    bundle = collect([path])
    assert set(bundle) == {"leave.bpmn", "leave/forms/ask.json"}
    assert bundle.paths["leave/forms/ask.json"].read_text(encoding="utf-8") == FORM


def test_a_form_in_the_processs_own_folder_wins_over_one_that_lies_about(tmp_path: Path) -> None:
    path = diagram(tmp_path)
    form(tmp_path / "ask.json")
    own = form(tmp_path / "leave" / "forms" / "ask.json")
    assert collect([path]).paths["leave/forms/ask.json"] == own.resolve()


def test_scenarios_and_forms_of_others_in_the_same_folder_are_left_out(tmp_path: Path) -> None:
    path = diagram(tmp_path)
    form(tmp_path / "ask.json", json.dumps({"process": "leave", "start": {}, "steps": []}))
    form(tmp_path / "other.json")
    assert set(collect([path])) == {"leave.bpmn"}


def test_a_folder_gives_all_its_diagrams_and_tables(tmp_path: Path) -> None:
    diagram(tmp_path, "leave")
    diagram(tmp_path, "travel")
    (tmp_path / "rule.dmn").write_text("<definitions/>", encoding="utf-8")
    form(tmp_path / "forms" / "ask.json")
    assert set(collect([tmp_path])) == {
        "leave.bpmn",
        "travel.bpmn",
        "rule.dmn",
        "leave/forms/ask.json",
        "travel/forms/ask.json",
    }


def test_a_diagram_that_is_no_xml_is_still_handed_to_the_gate(tmp_path: Path) -> None:
    path = tmp_path / "broken.bpmn"
    path.write_text("<not xml", encoding="utf-8")
    assert collect([path]) == {"broken.bpmn": b"<not xml"}


def test_two_files_of_one_name_are_refused(tmp_path: Path) -> None:
    with pytest.raises(Invalid):
        collect([diagram(tmp_path / "a"), diagram(tmp_path / "b")])


@pytest.mark.parametrize("name", ["missing.bpmn", "empty", "note.txt"])
def test_a_path_with_nothing_to_deploy_is_refused(tmp_path: Path, name: str) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "note.txt").write_text("", encoding="utf-8")
    with pytest.raises(Invalid):
        collect([tmp_path / name])


def test_a_bundle_laid_over_another_replaces_what_has_the_same_name(tmp_path: Path) -> None:
    base = collect([diagram(tmp_path / "a"), diagram(tmp_path / "a", "travel")])
    changed = diagram(tmp_path / "b")
    changed.write_text(changed.read_text(encoding="utf-8") + "<!-- new -->", encoding="utf-8")
    merged = collect([changed]).over(base)
    assert set(merged) == {"leave.bpmn", "travel.bpmn"}
    assert merged["leave.bpmn"].endswith(b"<!-- new -->")
    assert merged.paths["leave.bpmn"] == changed


def test_the_shipped_bundle_holds_every_diagram_with_its_forms() -> None:
    bundle = shipped()
    assert "account_registration.bpmn" in bundle
    assert any(name.startswith("account_registration/forms/") for name in bundle)
