"""What expressions and scripts can say, and what they answer."""

from __future__ import annotations

from typing import Any

import pytest

from engine.spiff.expressions import EvaluationError, ExpressionError, compile_expression, compile_script

CASE: dict[str, Any] = {
    "dept_confirm": {"outcome": "agree", "comment": "同意"},
    "has_payment": True,
    "features": ["livestream", "ads"],
    "ballots": [{"by": "a", "outcome": "approve"}, {"by": "b", "outcome": "reject"}],
    "rounds": 2,
    "platform": "抖音",
}


@pytest.mark.parametrize(
    ("source", "value"),
    [
        ('dept_confirm.outcome == "agree" and has_payment', True),
        ('"livestream" in features or third_party', True),
        ('"shop" in features', False),
        ("len([b for b in ballots if b.outcome == 'approve'])", 1),
        ("sum(1 for b in ballots if b.outcome in ('approve', 'conditional')) * 2 > len(ballots)", False),
        ("[b.by for b in ballots]", ["a", "b"]),
        ("[x + y for x in ['a', 'b'] for y in ['c', 'd'] if x != 'b']", ["ac", "ad"]),
        ("{k: v for k, v in dept_confirm.items()}", {"outcome": "agree", "comment": "同意"}),
        ("[[x for x in row] for row in [[1], [2, 3]]]", [[1], [2, 3]]),
        ("'高' if rounds >= 2 else '低'", "高"),
        ("platform + ' · ' + dept_confirm.comment", "抖音 · 同意"),
        ("missing", None),
        ("missing.field.below", None),
        ("missing is None and not dept_confirm.nothing", True),
        ("ballots[0].by", "a"),
        ("ballots[-1]['outcome']", "reject"),
        ("features[:1]", ["livestream"]),
        ("1 < rounds <= 2", True),
        ("-rounds + 7 // 2 - 7 % 4", -2),
        ("round(rounds / 3, 2)", 0.67),
        ("min([], default=0) + max(1, rounds)", 2),
        ("sorted([b.by for b in ballots], reverse=True)", ["b", "a"]),
        ("', '.join(sorted(features)).upper()", "ADS, LIVESTREAM"),
        ("'a,b'.split(',')", ["a", "b"]),
        ("dept_confirm.get('nothing', 5)", 5),
        ("str(rounds) + '次'", "2次"),
        ("int('3') + float('0.5') + abs(-1)", 4.5),
        ("any(b.outcome == 'reject' for b in ballots) and all([])", True),
        ("rounds == 2.0", True),
        ("(dept_confirm.outcome == 'agree'\n  and rounds == 2)", True),
        ("has_payment  # 有支付功能\n  or False", True),
        ('"\\u540c\\u610f" == dept_confirm.comment', True),
    ],
)
def test_an_expression_reads_the_case(source: str, value: Any) -> None:
    assert compile_expression(source).evaluate(CASE) == value


def test_host_functions_are_called_by_name_and_known_to_the_gate() -> None:
    expression = compile_expression("dept_head(dept) in [b.by for b in ballots]")
    assert expression.names == {"dept", "ballots"}
    assert expression.calls == {"dept_head"}
    assert expression.evaluate({**CASE, "dept": "x"}, {"dept_head": lambda dept: "a" if dept == "x" else "b"}) is True


def test_an_unknown_function_is_an_error_when_called() -> None:
    with pytest.raises(EvaluationError) as caught:
        compile_expression("dept_head('x')").evaluate({})
    assert "dept_head" in caught.value.message["zh-CN"]


def test_loop_variables_are_not_names_and_do_not_leak() -> None:
    expression = compile_expression("[k for k in xs if k] == k")
    assert expression.names == {"xs", "k"}
    assert expression.evaluate({"xs": [1], "k": [1]}) is True


def test_a_loop_inside_a_loop_sees_the_outer_variable_of_each_turn() -> None:
    expression = compile_expression("[[a + b for b in [1, 2]] for a in [10, 20]]")
    assert expression.evaluate({}) == [[11, 12], [21, 22]]


@pytest.mark.parametrize(
    "source",
    [
        "missing > 5", "missing + 1", "missing + 'a'", "'a' < 1", "platform.outcome", "features.outcome", "rounds()",
        "features[9]", "1 / (rounds - 2)", "'a' - 'b'", "platform % 3", "sum(features)", "max([])", "max([1, 'a'])",
        "min(None, 1)", "str(None)", "str(features)", "int('x')", "int(features)", "{1: 2}", "-platform", "len(3)",
        "[a for a, b in features]", "3 in 5", "features.upper()", "platform.get('a')", "', '.join([1])",
        "'' in ['a'][0][0][1]",
    ],
)  # fmt: skip
def test_values_that_do_not_fit_are_errors_and_never_silent_answers(source: str) -> None:
    with pytest.raises(EvaluationError):
        compile_expression(source).evaluate(CASE)


@pytest.mark.parametrize(
    ("source", "line", "column", "code"),
    [
        ("a == == b", 1, 6, "syntax"),
        ("a == 1 and\n  (lambda: 1)", 2, 4, "not_allowed"),
        ("a and (b = 2)", 1, 8, "syntax"),
        ("", 1, 1, "empty"),
        ("部门 == 1", 1, 1, "unicode"),
        ('a == “x”', 1, 6, "unicode"),
        ("${a}", 1, 1, "syntax"),
    ],
)  # fmt: skip
def test_a_refusal_says_where_and_why_in_both_languages(source: str, line: int, column: int, code: str) -> None:
    with pytest.raises(ExpressionError) as caught:
        compile_expression(source)
    assert (caught.value.line, caught.value.column, caught.value.code) == (line, column, code)
    assert caught.value.message["zh-CN"] != caught.value.message["en"]


def test_a_script_returns_what_it_assigned_and_leaves_its_input_alone() -> None:
    script = compile_script("""
        rounds = (rounds or 0) + 1
        if rounds > 2:
            note.text = "第" + str(rounds) + "次"   # 超过两次
            late = True
        elif has_payment:
            late = False
        else:
            pass
    """)
    note = {"text": "旧", "by": "a"}
    variables = {"rounds": 2, "note": note}
    assert script.run(variables) == {"rounds": 3, "note": {"text": "第3次", "by": "a"}, "late": True}
    assert variables == {"rounds": 2, "note": {"text": "旧", "by": "a"}}
    assert script.assigned == {"rounds", "note", "late"}
    assert script.names == {"rounds", "has_payment"}


def test_a_script_sees_its_own_assignments() -> None:
    assert compile_script("a = 1\nb = a + 1\nr.x = b\nc = r.x").run({})["c"] == 2


def test_a_field_of_something_else_cannot_be_assigned() -> None:
    with pytest.raises(EvaluationError):
        compile_script("a.b = 1").run({"a": [1]})


def test_the_same_text_is_compiled_once() -> None:
    assert compile_expression("a == 1") is compile_expression("a == 1")
