"""Ways around the controls that a drawn path does not show: each is tried on a shipped diagram, and named."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from functools import cache

import pytest

import processes
from engine import TableControl, check
from processes import bundle
from processes.control_tables import TABLES

Files = dict[str, bytes]
FLOW = '<bpmn:sequenceFlow id="{id}" sourceRef="{source}" targetRef="{target}" />'
END = "</bpmn:process>"


@cache
def shipped() -> Files:
    return dict(bundle.shipped())


def said(files: Files) -> set[tuple[str, str]]:
    """(code, element) of every control the gate names."""
    found = {(each.code, each.element) for each in check(files, processes.house()) if each.severity == "problem"}
    return {each for each in found if each[0].startswith("K-")}


def changed(file: str, change: Callable[[str], str]) -> Files:
    """The shipped files with one of them changed; the change must be one."""
    before = shipped()[file].decode()
    after = change(before)
    assert after != before
    return {**shipped(), file: after.encode()}


def replaced(file: str, old: str, new: str) -> Files:
    return changed(file, lambda text: text.replace(old, new))


def between(text: str, source: str, target: str, more: str, step: str) -> str:
    """Put a step on the flow between two others."""
    pattern = rf'(<bpmn:sequenceFlow [^>]*sourceRef="{source}" targetRef=")({target})"'
    text, count = re.subn(pattern, rf'\1{step}"', text)
    assert count == 1
    return text.replace(END, more + FLOW.format(id=f"past_{step}", source=step, target=target) + END)


def script(step: str, source: str) -> str:
    source = source.replace('"', "&quot;")
    return f'<bpmn:scriptTask id="{step}" name="x"><bpmn:script>{source}</bpmn:script></bpmn:scriptTask>'


def test_what_is_shipped_satisfies_every_control() -> None:
    assert said(shipped()) == set()


# -- what is written over ----------------------------------------------------------------------------------------------
def test_a_vote_is_not_passed_by_a_script_behind_it() -> None:
    forged = script("forge", 'vote = {"outcome": "passed"}')
    files = changed(
        "account_registration.bpmn",
        lambda text: between(text, "group_vote", "group_vote_result", forged, "forge"),
    )
    assert ("K-04", "activate") in said(files)


def test_a_vote_is_not_passed_by_the_calls_own_script() -> None:
    files = changed(
        "account_registration.bpmn",
        lambda text: text.replace(
            "</spiffworkflow:preScript>",
            '</spiffworkflow:preScript><spiffworkflow:postScript>vote = {"outcome": "passed"}'
            "</spiffworkflow:postScript>",
        ),
    )
    assert ("K-04", "activate") in said(files)


def test_a_tier_is_not_lowered_on_the_way() -> None:
    lowered = script("lower", 'tier = "T1"')
    files = changed("content_review.bpmn", lambda text: between(text, "settle", "classify_result", lowered, "lower"))
    assert ("K-02", "approved") in said(files)


def test_a_dismissal_is_not_called_something_else_until_it_is_past_the_union() -> None:
    other = script("rename", 'proposed = "WARNING"')
    files = changed("discipline.bpmn", lambda text: between(text, "legality_result", "union_gate", other, "rename"))
    assert ("K-07", "serve") in said(files)


def test_a_verdict_is_not_overruled_by_a_script() -> None:
    overruled = script("overrule", 'verdict = {"blocked": False}')
    files = changed("discipline.bpmn", lambda text: between(text, "explain", "legality_result", overruled, "overrule"))
    assert ("K-07", "serve") in said(files)


def test_the_operation_that_says_what_is_lawful_is_given_what_the_table_answered() -> None:
    files = replaced(
        "discipline.bpmn",
        '<spiffworkflow:parameter id="allowed" type="any" value="allowed" />',
        '<spiffworkflow:parameter id="allowed" type="any" value="True" />',
    )
    assert ("K-07", "serve") in said(files)


# -- who is asked ------------------------------------------------------------------------------------------------------
def test_somebody_elses_statement_is_not_the_respondents() -> None:
    files = replaced(
        "discipline.bpmn", 'name="assignee" value="respondent"', 'name="assignee" value="superior(initiator)"'
    )
    assert {("K-07", "serve"), ("K-08", "execute")} <= said(files)


@pytest.mark.parametrize("recuse", ["[] if True else authors", "(authors and [])", "[each for each in []] + []"])
def test_a_recusal_that_keeps_nobody_out_is_none(recuse: str) -> None:
    kept = re.compile(r'(name="recuse" value=")authors[^"]*"')
    files = changed("content_review.bpmn", lambda text: kept.sub(rf'\1{recuse}"', text))
    assert ("K-01", "approved") in said(files)


def test_a_vote_the_author_takes_part_in_does_not_approve() -> None:
    files = changed("content_review.bpmn", lambda text: re.sub(r"recused = authors.*", "recused = []", text))
    assert ("K-02", "approved") in said(files)


def test_a_vote_on_another_matter_does_not_approve() -> None:
    files = replaced("content_review.bpmn", 'matter = "content"\n', 'matter = "content_urgent"\n')
    assert ("K-02", "approved") in said(files)


def test_nobody_has_approved_when_nobody_was_asked() -> None:
    two = "len(urgent_approvals) == 2 and "
    different = " and urgent_approvals[0].by != urgent_approvals[1].by"
    files = changed("content_review.bpmn", lambda text: text.replace(two, "").replace(different, ""))
    assert ("K-01", "approved") in said(files)


def test_a_password_is_changed_by_those_who_keep_the_vault() -> None:
    def by_the_outgoing(text: str) -> str:
        properties = '<spiffworkflow:property name="form" value="rotate" />'
        return text.replace(
            properties, properties + '<spiffworkflow:property name="assignee" value="parties.outgoing" />'
        )

    assert ("K-05", "end_completed") in said(changed("account_handover.bpmn", by_the_outgoing))


# -- timers ------------------------------------------------------------------------------------------------------------
def test_a_minute_is_no_time_for_a_statement() -> None:
    allowed = '"5wd" if max_sanction == "DISMISSAL" else "3wd"</bpmn:timeDuration>'
    files = replaced("discipline.bpmn", allowed, "PT1M</bpmn:timeDuration>")
    assert ("K-07", "serve") in said(files)


def test_a_timer_that_does_not_end_the_statement_does_not_stand_for_it() -> None:
    files = changed(
        "complaint.bpmn",
        lambda text: re.sub(r'(<bpmn:boundaryEvent id="statement_expired")', r'\1 cancelActivity="false"', text),
    )
    assert "K-06" in {code for code, _ in said(files)}


def test_a_timer_beside_an_approval_does_not_approve() -> None:
    more = (
        '<bpmn:parallelGateway id="both" />'
        '<bpmn:intermediateCatchEvent id="silence"><bpmn:timerEventDefinition id="silent">'
        "<bpmn:timeDuration>3wd</bpmn:timeDuration></bpmn:timerEventDefinition></bpmn:intermediateCatchEvent>"
        + FLOW.format(id="both_wait", source="both", target="silence")
        + FLOW.format(id="silence_consents", source="silence", target="platform_register")
    )

    def beside(text: str) -> str:
        source = re.findall(r'sourceRef="(\w+)" targetRef="dept_confirm"', text)[0]
        return between(text, source, "dept_confirm", more, "both")

    assert ("K-10", "silence") in said(changed("account_registration.bpmn", beside))


# -- elsewhere ---------------------------------------------------------------------------------------------------------
def elsewhere(step: str) -> Files:
    """The shipped files with a small process of somebody's that does one step of another procedure."""
    head = (
        '<bpmn:definitions xmlns:bpmn="http://www.omg.org/spec/BPMN/20100524/MODEL" '
        'xmlns:spiffworkflow="http://spiffworkflow.org/bpmn/schema/1.0/core" targetNamespace="http://guiju.example/t">'
    )
    body = '<bpmn:startEvent id="begin" /><bpmn:endEvent id="over" />' + step
    flows = FLOW.format(id="f1", source="begin", target="do") + FLOW.format(id="f2", source="do", target="over")
    text = f'{head}<bpmn:process id="quick" isExecutable="true">{body}{flows}</bpmn:process></bpmn:definitions>'
    return {**shipped(), "quick.bpmn": text.encode()}


@pytest.mark.parametrize(
    ("code", "operation"),
    [
        ("K-01", "content_review.freeze"),
        ("K-04", "account_registration.activate"),
        ("K-04", "account_deregistration.close"),
        ("K-04", "group_vote.tally"),
        ("K-05", "account_handover.update_register"),
        ("K-06", "complaint.conclude"),
        ("K-07", "discipline.letter"),
        ("K-07", "discipline.record"),
    ],
)
def test_another_process_cannot_do_what_a_control_guards(code: str, operation: str) -> None:
    operator = f'<spiffworkflow:serviceTaskOperator id="{operation}" />'
    step = f'<bpmn:serviceTask id="do"><bpmn:extensionElements>{operator}</bpmn:extensionElements></bpmn:serviceTask>'
    assert (code, "do") in said(elsewhere(step))


def test_another_process_cannot_call_publishing() -> None:
    assert ("K-01", "do") in said(elsewhere('<bpmn:callActivity id="do" calledElement="publish_followup" />'))


@pytest.mark.parametrize(
    ("process", "code", "step"),
    [
        ("account_registration", "K-04", "activate"),
        ("account_handover", "K-05", "end_completed"),
        ("discipline", "K-07", "serve"),
    ],
)
def test_what_is_guarded_is_not_moved_out_of_sight(process: str, code: str, step: str) -> None:
    """The step is renamed, so that no path to it would be looked for."""

    def renamed(text: str) -> str:
        return re.sub(rf'(?<=[">]){step}(?=["<])', "other", text)

    assert (code, process) in said(changed(f"{process}.bpmn", renamed))


def test_a_hollow_vote_is_no_vote() -> None:
    head = (
        '<bpmn:definitions xmlns:bpmn="http://www.omg.org/spec/BPMN/20100524/MODEL" '
        'xmlns:spiffworkflow="http://spiffworkflow.org/bpmn/schema/1.0/core" targetNamespace="http://guiju.example/t">'
    )
    body = (
        '<bpmn:startEvent id="begin" /><bpmn:endEvent id="end_vote" />'
        + script("wave", 'vote = {"outcome": "passed", "summary": "", "resolution_no": "1"}')
        + FLOW.format(id="f1", source="begin", target="wave")
        + FLOW.format(id="f2", source="wave", target="end_vote")
    )
    text = f'{head}<bpmn:process id="group_vote" isExecutable="true">{body}</bpmn:process></bpmn:definitions>'
    assert ("K-04", "group_vote") in said({**shipped(), "group_vote.bpmn": text.encode()})


def test_a_withdrawal_does_not_end_where_a_handover_is_done() -> None:
    files = replaced(
        "account_handover.bpmn", 'name="withdraw_to" value="end_withdrawn"', 'name="withdraw_to" value="end_completed"'
    )
    assert ("K-05", "end_completed") in said(files)


def test_an_event_subprocess_is_refused_whatever_it_holds() -> None:
    inner = (
        '<bpmn:subProcess id="sudden" triggeredByEvent="true"><bpmn:startEvent id="in">'
        '<bpmn:timerEventDefinition id="t">'
        "<bpmn:timeDuration>PT1M</bpmn:timeDuration></bpmn:timerEventDefinition></bpmn:startEvent>"
        '<bpmn:userTask id="serve_now" name="x" /><bpmn:endEvent id="out" />'
        + FLOW.format(id="g1", source="in", target="serve_now")
        + FLOW.format(id="g2", source="serve_now", target="out")
        + "</bpmn:subProcess>"
    )
    files = changed("discipline.bpmn", lambda text: text.replace(END, inner + END))
    assert {each.element for each in check(files, processes.house())} & {"sudden", "in"}


# -- tables ------------------------------------------------------------------------------------------------------------
def test_a_table_that_lets_a_fine_pass_is_named() -> None:
    files = changed("sanction_legality.dmn", lambda text: text.replace(">False<", ">True<"))
    assert ("K-07", "sanction_legality") in said(files)


def test_a_table_that_calls_everything_general_is_named() -> None:
    files = changed("content_tier.dmn", lambda text: text.replace('"T2"', '"T1"'))
    assert ("K-02", "content_tier") in said(files)


def test_a_table_that_lets_few_decide_is_named() -> None:
    files = changed("vote_rule.dmn", lambda text: text.replace("0.667", "0.1").replace(">0.5<", ">0.1<"))
    assert {("K-04", "vote_rule"), ("K-07", "vote_rule")} <= said(files)


@pytest.mark.parametrize("control", TABLES, ids=lambda control: f"{control.code} {control.text['en']}")
def test_each_question_to_a_table_would_be_noticed(control: TableControl) -> None:
    house = replace(processes.house(), controls=(replace(control, must=f"not ({control.must})"),))
    file = f"{control.table}.dmn"
    found = check({file: shipped()[file]}, house)
    assert (control.code, control.table) in {(each.code, each.element) for each in found}
