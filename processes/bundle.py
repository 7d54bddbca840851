"""Gathers what belongs together for the gate and a deployment: diagrams, decision tables, terms and forms.

A bundle maps names to bytes: `account_registration.bpmn`, `vote_rule.dmn`, `account_registration/forms/ballot.json`
(form `ballot` of process `account_registration`). `Bundle.paths` tells where each came from, for `file:line` reports.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from pathlib import Path

from lxml import etree

from engine.errors import Invalid
from processes import term_rules

ROOT = Path(__file__).resolve().parent.parent
SHIPPED_DIAGRAMS = ROOT / "bpmn"
SHIPPED_PROCEDURES = ROOT / "processes"

_BPMN = "{http://www.omg.org/spec/BPMN/20100524/MODEL}"
_SPIFF = "{http://spiffworkflow.org/bpmn/schema/1.0/core}"
_SUFFIXES = (".bpmn", ".dmn")
TABLES = (term_rules.NAME,)  # plain tables that operations read


class Bundle(dict[str, bytes]):
    """Files by bundle name; `paths` holds the file each was read from."""

    def __init__(self) -> None:
        super().__init__()
        self.paths: dict[str, Path] = {}

    def put(self, name: str, path: Path) -> None:
        """Read `path` in under `name`; two different files of one name are an error."""
        if self.paths.get(name, path).resolve() != path.resolve():
            raise Invalid(
                {
                    name: {
                        "zh-CN": f"两个文件同名：{self.paths[name]} 与 {path}",
                        "en": f"Two files have one name: {self.paths[name]} and {path}",
                    }
                }
            )
        self[name] = path.read_bytes()
        self.paths[name] = path

    def over(self, base: Bundle) -> Bundle:
        """This bundle laid over `base`: a diagram here replaces that of the same name there, with its forms."""
        merged = Bundle()
        for source in (base, self):
            merged.update(source)
            merged.paths.update(source.paths)
        return merged


def collect(paths: Iterable[Path]) -> Bundle:
    """The diagrams and tables at `paths` (files, or folders whose files are taken) with the forms of their processes.

    Raises Invalid when a path does not exist, holds nothing to deploy, or two files have one name.
    """
    bundle = Bundle()
    for path in paths:
        found = [path] if path.is_file() else sorted(p for p in path.glob("*") if _taken(p) and p.is_file())
        if not found or not _taken(found[0]):
            raise Invalid(
                {
                    str(path): {
                        "zh-CN": f"「{path}」里没有 .bpmn、.dmn 文件或 {'、'.join(TABLES)}",
                        "en": f"“{path}” holds no .bpmn or .dmn file and no {', '.join(TABLES)}",
                    }
                }
            )
        for file in found:
            bundle.put(file.name, file)
            if file.suffix == ".bpmn":
                for name, form in _forms(file, bundle[file.name]):
                    bundle.put(name, form)
    return bundle


def _taken(path: Path) -> bool:
    return path.suffix in _SUFFIXES or path.name in TABLES


def shipped() -> Bundle:
    """Every procedure that comes with Guiju."""
    return collect([SHIPPED_DIAGRAMS])


def _forms(diagram: Path, xml: bytes) -> Iterator[tuple[str, Path]]:
    """The forms of a diagram's processes: a folder of their own first, then whatever lies beside and is named in it."""
    named, processes = _names(xml)
    folder = diagram.resolve().parent
    for process in processes or [diagram.stem]:
        found: dict[str, Path] = {}
        if folder != SHIPPED_DIAGRAMS:
            for form in [*folder.glob("*.json"), *folder.glob("forms/*.json")]:
                if form.stem in named and _is_form(form):
                    found[form.stem] = form
            found |= {form.stem: form for form in (folder / process / "forms").glob("*.json")}
        for form in (SHIPPED_PROCEDURES / process / "forms").glob("*.json"):
            found.setdefault(form.stem, form)
        for stem in sorted(found):
            yield f"{process}/forms/{stem}.json", found[stem]


def _names(xml: bytes) -> tuple[set[str], list[str]]:
    """The form names a diagram mentions and the ids of its processes; empty when it is no XML (the gate says so)."""
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False)
    try:
        root = etree.fromstring(xml, parser)
    except etree.XMLSyntaxError:
        return set(), []
    forms = {
        (node.get("value") or "").removesuffix(".json")
        for node in root.iter(f"{_SPIFF}property")
        if node.get("name") == "form"
    }
    return forms, [key for node in root.iter(f"{_BPMN}process") if (key := node.get("id"))]


def _is_form(path: Path) -> bool:
    """Whether a JSON file is a form rather than, say, a scenario that lies in the same folder."""
    try:
        content = json.loads(path.read_bytes())
    except (ValueError, OSError):
        return True  # named as a form in the diagram: let the gate say what is wrong with it
    return not (isinstance(content, dict) and "process" in content and ("start" in content or "steps" in content))
