"""Rules no diagram can break, whoever draws it: checked as paths through the graph and as names. What a procedure must
pass on its way is declared by the policy and checked in `gate_paths`.

- K-09 passwords, identity numbers and the names of those who report never become process data
- K-10 silence is never consent: no timer leads where only an approval leads
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from engine.spiff.gate_graph import has_people, reached
from engine.spiff.gate_known import NOTHING, Conditions, Known, after, conditions_of, flows_taken, known_of
from engine.spiff.gate_model import HUMAN, Element, Process, result_variable
from engine.spiff.gate_names import Names
from engine.spiff.gate_paths import check_path_controls, outcomes
from engine.spiff.gate_shapes import Shape

APPROVING = frozenset(
    {
        "approve", "approved", "agree", "agreed", "accept", "accepted", "pass", "passed", "conditional", "consent",
        "ok", "yes", "sign", "signed", "confirm", "confirmed", "passed_with_conditions", "同意", "通过", "批准", "确认",
    }
)  # fmt: skip
_SECRET = re.compile(
    r"(^|_)(password|passwd|pwd|passphrase|passcode|secret|id_?card|identity_card|identity_(no|number)|id_(no|number)|ssn"
    r"|(reporter|complainant|informant|whistleblower)_(name|identity|id))(_|$)|密码|口令|身份证|举报人姓名|举报人身份"
)
_ABOUT = re.compile(  # speak of it, do not hold it
    r"^discloses_|_(ref|days|policy|on|at|date|rotated|changed|due|updated|reset)$"
)


def check_controls(process: Process, names: Names) -> None:
    """K-09, K-10, and the controls that the house declares."""
    _check_secrets(process, names)
    conditions = conditions_of(process)
    check_path_controls(process, names, conditions)
    for element in process.elements:
        if element.multi is None and (element.kind in HUMAN or element.kind in ("callActivity", "subProcess")):
            _check_consent(element, names, conditions)


def holds_secret(name: str) -> bool:
    """Whether something of this name would hold what must never become process data."""
    plain = re.sub(r"([a-z])([A-Z])", r"\1_\2", name).lower().replace("-", "_")
    return bool(_SECRET.search(plain)) and not _ABOUT.search(plain)


def _check_secrets(process: Process, names: Names) -> None:
    local = {name: element for element in process.elements for name in names.local(element)}
    for name in sorted({*names.of(process), *local}):
        if holds_secret(name):
            node = local[name].node if name in local else process.node
            process.report.problem(
                node,
                "K-09",
                f"变量「{name}」会把密码或身份信息带入流程数据；请只存引用（如 vault_ref）",
                f"The variable “{name}” would carry a secret into process data; keep a reference only (vault_ref)",
            )


def secret_fields(schema: Any, path: str = "") -> Iterator[str]:
    """The fields of a form that would hold a secret, by dotted path."""
    if isinstance(schema, Mapping):
        properties = schema.get("properties")
        if isinstance(properties, Mapping):
            for name, field in properties.items():
                if holds_secret(str(name)):
                    yield f"{path}{name}"
                yield from secret_fields(field, f"{path}{name}.")
        if "items" in schema:
            yield from secret_fields(schema["items"], path)


# -- K-10 --------------------------------------------------------------------------------------------------------------
def _check_consent(host: Element, names: Names, conditions: Conditions) -> None:
    """Whether a timer leads, by itself, where only an approving outcome of the activity leads.

    Its own timers, and those that run beside it: a catching timer on a branch that does not go through the activity.
    """
    timers = [boundary for boundary in host.boundaries if boundary.definition("timer") is not None]
    timers += _beside(host)
    if not timers:
        return
    variables = {result_variable(host)} if host.kind in HUMAN else names.products(host)
    for path, values in _outcomes(host, names, variables, conditions).items():
        approving = {value for value in values if isinstance(value, str) and value.lower() in APPROVING}
        if approving:
            _check_timers(host, timers, path, approving, values - approving, names, conditions)


def _beside(host: Element) -> list[Element]:
    """Catching timers that may run while the activity is open, or without it: on a way that does not pass it."""
    start = host.scope.process.start
    around = reached([start], [host]) if start is not None else set()
    around -= set(host.boundaries) | reached(host.boundaries)
    return [each for each in around if each.kind == "intermediateCatchEvent" and each.definition("timer") is not None]


def _outcomes(host: Element, names: Names, variables: Iterable[str], conditions: Conditions) -> dict[str, set[Any]]:
    """`variable.outcome` → its possible values: those of the form, else those the conditions ask for, and any other."""
    found: dict[str, set[Any]] = {}
    for variable in variables:
        path = f"{variable}.outcome"
        shape = (names.form_shape(host).fields or {}).get("outcome", Shape()) if host.kind in HUMAN else Shape()
        found[path] = outcomes(path, shape, conditions)
    return found


def _check_timers(
    host: Element,
    timers: list[Element],
    path: str,
    approving: set[Any],
    others: set[Any],
    names: Names,
    conditions: Conditions,
) -> None:
    """1. what only approvals reach 2. whether a timer gets there without asking anybody."""
    variable = path.partition(".")[0]
    behind = list(host.scope.after(host))
    only_approved: set[Element] = set()
    for value in approving:
        only_approved |= _led_to(behind, known_of({path: value}), names, conditions)
    for value in others:
        only_approved -= _led_to(behind, known_of({path: value}), names, conditions)
    for timer in timers:
        led = _led_to(timer.scope.after(timer), NOTHING, names, conditions) & only_approved
        if led and host not in reached(behind):  # else it can come round again with its last result still there
            led &= _led_to(timer.scope.after(timer), known_of({variable: None}), names, conditions)
        for target in sorted(led, key=lambda each: each.id):
            host.scope.process.report.problem(
                timer.node,
                "K-10",
                f"到期会走到只有「{host.id}」批准后才能到的「{target.id}」：沉默不等于同意",
                f"When due it leads to “{target.id}”, which needs an approval of “{host.id}”: silence is no consent",
            )


def _led_to(starts: Iterable[Element], known: Known, names: Names, conditions: Conditions) -> set[Element]:
    """The steps reached without asking anybody else, the next person's task included; gateways are only passed."""
    found: set[Element] = set()
    seen: set[tuple[Element, Known]] = set()
    todo = [(element, known) for element in starts]
    while todo:
        element, still = todo.pop()
        if (element, still) in seen:
            continue
        seen.add((element, still))
        if not element.kind.endswith("Gateway"):
            found.add(element)
        if _asks_people(element, names):
            continue
        still = after(element, still, names)
        elements = element.scope.elements
        for flow in flows_taken(element, dict(still), conditions):
            if flow.target in elements:
                todo.append((elements[flow.target], still))
    return found


def _asks_people(element: Element, names: Names) -> bool:
    if element.kind == "callActivity":
        called = names.model.processes.get(element.node.get("calledElement") or "")
        return called is not None and has_people(called)
    inner = [scope for scope in element.scope.process.scopes if scope.owner is element]
    return element.kind in HUMAN or any(each.kind in HUMAN for scope in inner for each in scope.elements.values())
