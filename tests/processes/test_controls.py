"""The controls K-01…K-12: each is broken in turn, and the gate names it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

import processes
from engine import Control, Station, TableControl, check
from processes import bundle
from processes.controls import CONTROLS

BPMN = Path(__file__).resolve().parents[2] / "bpmn"
HEAD = (
    '<bpmn:definitions xmlns:bpmn="http://www.omg.org/spec/BPMN/20100524/MODEL" '
    'xmlns:spiffworkflow="http://spiffworkflow.org/bpmn/schema/1.0/core" targetNamespace="http://guiju.example/test">'
)
DRAWN = [control for control in CONTROLS if isinstance(control, Control)]
TABLES = [control for control in CONTROLS if isinstance(control, TableControl)]
PATHS = [control for control in DRAWN if control.before]


def name(control: Control) -> str:
    return f"{control.code} {control.process} {CONTROLS.index(control)}"


def escaped(text: str) -> str:
    return text.replace('"', "&quot;")


def element(pattern: str, inside: str = "", given: Mapping[str, str] | None = None) -> tuple[str, str]:
    """(id, XML) of a step that the pattern of a control means; `given` are its parameters, or what its script sets."""
    kind, _, meant = pattern.rpartition(":")
    meant = meant.replace("*", "x")
    plain = meant.replace(".", "_")
    if kind == "call":
        script = "\n".join(f"{key} = {value}" for key, value in (given or {}).items())
        before = f"<spiffworkflow:preScript>{escaped(script)}</spiffworkflow:preScript>" if script else ""
        call = f'<bpmn:callActivity id="call_{plain}" calledElement="{meant}">'
        return f"call_{plain}", f"{call}<bpmn:extensionElements>{before}</bpmn:extensionElements></bpmn:callActivity>"
    if kind == "table":
        decision = f"<spiffworkflow:calledDecisionId>{meant}</spiffworkflow:calledDecisionId>"
        rule = f"<bpmn:extensionElements>{decision}</bpmn:extensionElements>"
        return f"rule_{plain}", f'<bpmn:businessRuleTask id="rule_{plain}">{rule}</bpmn:businessRuleTask>'
    if kind == "operation":
        inner = "".join(
            f'<spiffworkflow:parameter id="{key}" type="any" value="{escaped(value)}"/>'
            for key, value in (given or {}).items()
        )
        parameters = f"<spiffworkflow:parameters>{inner}</spiffworkflow:parameters>"
        operator = f'<spiffworkflow:serviceTaskOperator id="{meant}">{parameters}</spiffworkflow:serviceTaskOperator>'
        service = f"<bpmn:extensionElements>{operator}</bpmn:extensionElements>"
        return f"do_{plain}", f'<bpmn:serviceTask id="do_{plain}">{service}</bpmn:serviceTask>'
    return plain, f'<bpmn:userTask id="{plain}">{inside}</bpmn:userTask>'


def properties(**values: str) -> str:
    found = "".join(f'<spiffworkflow:property name="{key}" value="{value}"/>' for key, value in values.items())
    return (
        f"<bpmn:extensionElements><spiffworkflow:properties>{found}</spiffworkflow:properties></bpmn:extensionElements>"
    )


def flow(source: str, target: str, condition: str = "") -> str:
    inner = f"<bpmn:conditionExpression>{escaped(condition)}</bpmn:conditionExpression>" if condition else ""
    ends = f'id="{source}_to_{target}" sourceRef="{source}" targetRef="{target}"'
    return f"<bpmn:sequenceFlow {ends}>{inner}</bpmn:sequenceFlow>"


def diagram(process: str, parts: Iterable[str], more: str = "") -> dict[str, bytes]:
    body = "".join(parts)
    text = f'{HEAD}<bpmn:process id="{process}" isExecutable="true">{more}{body}</bpmn:process></bpmn:definitions>'
    return {f"{process}.bpmn": text.encode()}


def station_of(control: Control, station: Station, without: str = "") -> tuple[str, str]:
    """A step that does what the station is there for; `without` leaves out one of `recuses`, `asks`, `parameters`."""
    given = dict(station.parameters) if without != "parameters" else {}
    keep = station.recuses[0] if station.recuses and without != "recuses" else ""
    said: dict[str, str] = {"recuse": f"[{keep}]"} if keep else {}
    if station.asks:
        said["assignee"] = station.asks[0] if without != "asks" else "somebody_else"
    if keep and station.names[0].startswith("call:"):
        given["recused"] = f"[{keep}]"
    return element(station.names[0], properties(**said) if said else "", given)


def guarded(control: Control, station: Station, *, ask: bool = True, without: str = "") -> list[str]:
    """start → station → (only what passes) → every target, and what `again_after` names before the station."""
    place, xml = station_of(control, station, without)
    again = [element(pattern) for pattern in control.again_after]
    path = station.result or f"{place}.outcome"
    condition = f"{path} in {sorted(station.passing)!r}" if station.passing else ""
    targets = [element(pattern) for pattern in control.before]
    return [
        '<bpmn:startEvent id="start"/><bpmn:endEvent id="end_no"/>',
        xml,
        flow("start", place),
        *(each for _, each in [*targets, *again]),
        *(flow(each, place) for each, _ in again),
        '<bpmn:exclusiveGateway id="which" default="which_to_end_no"/>',
        flow(place, "which"),
        flow("which", "end_no"),
        *(flow("which", target, condition if ask else "True") for target, _ in targets),
    ]


def said(files: dict[str, bytes], code: str) -> set[str]:
    """The elements at which the gate names the control."""
    house = processes.house()
    return {problem.element for problem in check(files, house) if problem.code == code}


ONE_BY_ONE = [
    pytest.param(control, station, id=f"{name(control)} {station.names[0]}")
    for control in PATHS
    for station in control.through
]


def alone(control: Control, parts: Iterable[str], more: str = "") -> set[str]:
    """What this one control says of a diagram."""
    files = diagram(control.process, parts, more)
    house = replace(processes.house(), controls=(control,))
    return {problem.element for problem in check(files, house) if problem.code == control.code}


@pytest.mark.parametrize(("control", "station"), ONE_BY_ONE)
def test_a_path_through_the_station_is_let_on(control: Control, station: Station) -> None:
    assert alone(control, guarded(control, station)) == set()


@pytest.mark.parametrize(("control", "station"), ONE_BY_ONE)
def test_a_way_around_the_station_is_named(control: Control, station: Station) -> None:
    target, _ = element(control.before[0])
    around = ['<bpmn:exclusiveGateway id="fork"/>', flow("start", "fork"), flow("fork", target, "True")]
    assert target in alone(control, [*guarded(control, station), *around])


@pytest.mark.parametrize(("control", "station"), [param for param in ONE_BY_ONE if param.values[1].passing is not None])
def test_an_outcome_that_is_no_approval_does_not_lead_on(control: Control, station: Station) -> None:
    target, _ = element(control.before[0])
    assert target in alone(control, guarded(control, station, ask=False))


@pytest.mark.parametrize(("control", "station"), ONE_BY_ONE)
def test_a_timer_passes_the_station_by_only_where_being_asked_is_enough(control: Control, station: Station) -> None:
    place, _ = station_of(control, station)
    target, _ = element(control.before[0])
    timer = (
        f'<bpmn:boundaryEvent id="late" attachedToRef="{place}"><bpmn:timerEventDefinition id="t">'
        f"<bpmn:timeDuration>{station.least or '3wd'}</bpmn:timeDuration></bpmn:timerEventDefinition>"
        "</bpmn:boundaryEvent>"
    )
    found = alone(control, [*guarded(control, station), timer, flow("late", target)])
    assert found == (set() if station.timers else {target})


@pytest.mark.parametrize("control", [control for control in PATHS if control.again_after], ids=name)
def test_what_comes_after_an_edit_is_a_path_of_its_own(control: Control) -> None:
    target, _ = element(control.before[0])
    [again] = control.again_after
    parts = guarded(control, control.through[0])
    place, _ = station_of(control, control.through[0])
    assert alone(control, [*parts, flow("which", again, "False")]) == set()
    straight = [part.replace(flow(again, place), flow(again, target)) for part in parts]
    assert target in alone(control, straight)


WHAT_IT_DOES = [
    pytest.param(*param.values, what, id=f"{param.id} {what}")
    for param in ONE_BY_ONE
    for what in ("recuses", "asks", "parameters")
    if getattr(param.values[1], what)
]


@pytest.mark.parametrize(("control", "station", "what"), WHAT_IT_DOES)
def test_a_station_counts_by_whom_it_asks_and_keeps_out_and_what_it_is_given(
    control: Control, station: Station, what: str
) -> None:
    assert alone(control, guarded(control, station, without=what)) >= {element(control.before[0])[0]}


ASKED = [param for param in ONE_BY_ONE if ":" not in param.values[1].names[0]]


@pytest.mark.parametrize(("control", "station"), ASKED)
def test_a_step_of_the_systems_with_a_stations_name_asks_nobody(control: Control, station: Station) -> None:
    place, xml = station_of(control, station)
    passed = sorted(station.passing or {"ok"})[0]
    script = f'<bpmn:script>{place} = {{"outcome": "{passed}"}}</bpmn:script>'
    nobody = f'<bpmn:scriptTask id="{place}">{script}</bpmn:scriptTask>'
    parts = [part.replace(xml, nobody) for part in guarded(control, station)]
    assert alone(control, parts) >= {element(control.before[0])[0]}


PATIENT = [param for param in ONE_BY_ONE if param.values[1].least]


@pytest.mark.parametrize(("control", "station"), PATIENT)
@pytest.mark.parametrize(
    ("timer", "cancels"),
    [("PT1M", "true"), ('"0wd" if hurry else "5wd"', "true"), ("period", "true"), ("30wd", "false")],
)
def test_a_timer_that_leaves_no_time_is_no_hearing(
    control: Control, station: Station, timer: str, cancels: str
) -> None:
    place, _ = station_of(control, station)
    target, _ = element(control.before[0])
    late = (
        f'<bpmn:boundaryEvent id="late" attachedToRef="{place}" cancelActivity="{cancels}">'
        f'<bpmn:timerEventDefinition id="t"><bpmn:timeDuration>{escaped(timer)}</bpmn:timeDuration>'
        "</bpmn:timerEventDefinition></bpmn:boundaryEvent>"
    )
    assert target in alone(control, [*guarded(control, station), late, flow("late", target)])


@pytest.mark.parametrize("control", PATHS, ids=name)
def test_a_diagram_without_the_guarded_steps_is_refused(control: Control) -> None:
    parts = ['<bpmn:startEvent id="start"/><bpmn:endEvent id="end"/>', flow("start", "end")]
    assert alone(control, parts) == {control.process}


@pytest.mark.parametrize("control", [control for control in DRAWN if control.closed], ids=name)
def test_a_procedure_that_people_may_not_start_says_so(control: Control) -> None:
    parts = ['<bpmn:startEvent id="start"/><bpmn:endEvent id="end"/>', flow("start", "end")]
    assert alone(control, parts) == {control.process}
    assert alone(control, parts, properties(starters="&quot;employee&quot;")) == {control.process}
    assert alone(control, parts, properties(starters="&quot;none&quot;")) == set()


# -- the engine's own search -------------------------------------------------------------------------------------------
PLAIN = Control(
    code="K-00",
    process="p",
    before=("goal",),
    through=(Station(names=("ask",), passing=frozenset({"yes"})),),
    text={"zh-CN": "「{target}」", "en": "“{target}”"},
)
GOAL = '<bpmn:startEvent id="start"/><bpmn:userTask id="ask"/><bpmn:serviceTask id="goal"/>'


def test_a_parallel_branch_may_hold_the_station() -> None:
    split = '<bpmn:parallelGateway id="split"/><bpmn:parallelGateway id="join"/><bpmn:userTask id="other"/>'
    way = [
        GOAL.replace("ask", "ask"),
        split,
        flow("start", "split"),
        flow("split", "ask"),
        flow("split", "other"),
        flow("ask", "join"),
        flow("other", "join"),
        flow("join", "goal"),
    ]
    control = Control(code="K-00", process="p", before=("goal",), through=(Station(names=("ask",)),), text=PLAIN.text)
    assert alone(control, way) == set()
    exclusive = [part.replace("parallelGateway", "exclusiveGateway") for part in way]
    assert alone(control, exclusive) == {"goal"}


def test_a_condition_on_the_outcome_is_understood_however_far_away() -> None:
    later = (
        '<bpmn:exclusiveGateway id="gate" default="gate_to_end"/><bpmn:endEvent id="end"/>'
        '<bpmn:scriptTask id="note"><bpmn:script>{}</bpmn:script></bpmn:scriptTask>'
    )
    way = [
        flow("start", "ask"),
        flow("ask", "note"),
        flow("note", "gate"),
        flow("gate", "end"),
        flow("gate", "goal", 'ask.outcome == "yes" and level == "high"'),
    ]
    assert alone(PLAIN, [GOAL, later.format("x = 1"), *way]) == set()
    assert alone(PLAIN, [GOAL, later.format("ask = {}"), *way]) == {"goal"}  # the script might say yes


def test_what_is_given_closes_the_other_ways() -> None:
    fork = '<bpmn:exclusiveGateway id="gate" default="gate_to_ask"/>'
    way = [
        flow("start", "gate"),
        flow("gate", "goal", 'level != "high"'),
        flow("gate", "ask"),
        flow("ask", "goal"),
    ]
    station = (Station(names=("ask",)),)
    some = Control(code="K-00", process="p", before=("goal",), through=station, text=PLAIN.text)
    high = Control(
        code="K-00", process="p", before=("goal",), through=station, given={"level": "high"}, text=PLAIN.text
    )
    assert alone(some, [GOAL, fork, *way]) == {"goal"}
    assert alone(high, [GOAL, fork, *way]) == set()


def test_a_station_inside_a_subprocess_counts() -> None:
    inner = (
        '<bpmn:startEvent id="in"/><bpmn:userTask id="ask"/><bpmn:endEvent id="out"/>'
        + flow("in", "ask")
        + flow("ask", "out")
    )
    outer = (
        f'<bpmn:startEvent id="start"/><bpmn:subProcess id="sub">{inner}</bpmn:subProcess><bpmn:serviceTask id="goal"/>'
    )
    control = Control(code="K-00", process="p", before=("goal",), through=(Station(names=("ask",)),), text=PLAIN.text)
    way = [outer, flow("start", "sub"), flow("sub", "goal")]
    assert alone(control, way) == set()
    assert alone(control, [part.replace(flow("in", "ask"), flow("in", "out")) for part in way]) == {"goal"}


# -- the shipped diagrams ----------------------------------------------------------------------------------------------
SHIPPED = [pytest.param(control, id=name(control)) for control in DRAWN if (BPMN / f"{control.process}.bpmn").exists()]


def shipped() -> dict[str, bytes]:
    return dict(bundle.shipped())


def ids(text: str, patterns: Iterable[str]) -> list[str]:
    """The ids of the steps that a control means, as the shipped diagram has them."""
    found: list[str] = []
    for pattern in patterns:
        kind, _, meant = pattern.rpartition(":")
        words = re.escape(meant).replace(r"\*", r"\w*")
        if kind == "call":
            found += re.findall(rf'<bpmn:callActivity id="(\w+)"[^>]*calledElement="{words}"', text)
        elif kind == "table":
            rules = re.findall(r'<bpmn:businessRuleTask id="(\w+)".*?calledDecisionId>(\w+)<', text, re.DOTALL)
            found += [rule for rule, table in rules if table == meant]
        elif kind == "operation":
            done = re.findall(r'<bpmn:serviceTask id="(\w+)".*?serviceTaskOperator id="([\w.]+)"', text, re.DOTALL)
            found += [service for service, operation in done if operation == meant]
        elif not kind:
            found += re.findall(rf'<bpmn:\w+(?:Task|Activity|Event) id="({words})"', text)
    return found


@pytest.mark.parametrize("control", SHIPPED)
def test_breaking_a_shipped_diagram_names_the_control(control: Control) -> None:
    files = shipped()
    file = f"{control.process}.bpmn"
    text = files[file].decode()
    assert said(files, control.code) == set()
    if control.closed:
        broken = re.sub(r'<spiffworkflow:property name="starters"[^>]*/>', "", text)
        assert said({**files, file: broken.encode()}, control.code) == {control.process}
        return
    target = ids(text, control.before)[0]
    [start] = re.findall(r'<bpmn:startEvent id="(\w+)"', text)[:1]
    broken = re.sub(rf'(<bpmn:sequenceFlow [^>]*sourceRef="{start}" targetRef=")\w+"', rf'\1{target}"', text)
    assert broken != text
    assert target in said({**files, file: broken.encode()}, control.code)


@pytest.mark.parametrize("control", [param for param in SHIPPED if param.values[0].before])
def test_leading_around_the_stations_of_a_shipped_diagram_names_the_control(control: Control) -> None:
    files, file = shipped(), f"{control.process}.bpmn"
    text = broken = files[file].decode()
    target = ids(text, control.before)[0]
    places = [place for station in control.through for place in ids(text, station.names)]
    assert places, "the diagram has no such station"
    for place in places:
        broken = re.sub(rf'(<bpmn:sequenceFlow [^>]*targetRef="){place}"', rf'\1{target}"', broken)
    assert broken != text
    assert target in said({**files, file: broken.encode()}, control.code)


def test_every_control_is_declared_or_the_gates_or_the_engines_own() -> None:
    declared = {control.code for control in CONTROLS}
    assert declared == {f"K-0{number}" for number in range(1, 9)}
    sources = "".join(path.read_text("utf-8") for path in (BPMN.parent / "engine/spiff").glob("gate_*.py"))
    assert '"K-09"' in sources and '"K-10"' in sources


def test_controls_speak_both_languages() -> None:
    found: list[Any] = [control.text for control in CONTROLS]
    assert all(set(text) == {"zh-CN", "en"} for text in found)
