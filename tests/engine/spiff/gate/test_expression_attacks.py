"""Attempts to escape from or to exhaust the expression language: refused when compiled or stopped by the budget."""

from __future__ import annotations

import builtins
import contextlib
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.spiff.expressions import EvaluationError, ExpressionError, compile_expression, compile_script

REFUSED_AT_SIGHT = [
    # out through attributes
    "().__class__", "().__class__.__bases__[0].__subclasses__()", "''.__class__.__mro__[1]", "x.__dict__",
    "x.__init__.__globals__",
    "x._private", "_", "__builtins__", "__import__('os')", "__import__('os').system('id')", "(lambda: 0).__globals__",
    "(lambda: 0).__code__", "[].__len__()", "x.__getattribute__('y')", "x.gi_frame.f_back.__globals__",
    "(1).__add__(2)",
    "(i for i in [1]).__next__()", "(i for i in [1]).throw(x)", "[g.gi_frame.f_builtins() for g in [(1 for _ in [1])]]",
    "x.format(x)", "'{0.__class__}'.format(x)", "'{}'.format_map(x)", "f'{x}'", "f'{x.__class__}'", "'%s' % x",
    "'%s' 'b' % x",
    "x.mro()", "x.encode('idna')", "x.translate(y)", "x.replace('', y)", "x.ljust(10 ** 9)", "x.zfill(y)",
    "x.center(y)",
    "x.count(y)", "x.pop()", "x.append(1)", "x.update(y)", "x.setdefault('a', 1)", "x.clear()",
    # out through names and calls
    "len", "sorted", "[len][0]('x')", "(len)", "f = len", "(x or len)('y')", "x()()", "x[0]()", "(a if b else c)()",
    "len(x, key=eval)", "sorted(x, key=len)", "max(x, key=str)", "sum(x, start=y, **z)", "min(*x)", "x(**y)", "f(a=1)",
    "[*x]", "{**x}", "(y := 1)", "[y := 1 for x in z]", "lambda x: x", "(lambda: 1)()", "await x", "yield", "(yield x)",
    "[i async for i in x]", "{1, 2}", "{x for x in y}", "...", "x if y", "x; y", "import os", "from os import system",
    "del x", "assert x", "print(1); x", "x = 1", "not", "()()", "x is y", "x is 'a'", "[x for x.y in z]",
    "[x for x[0] in z]",
    "[x for (x, (y, z)) in w]", "[x for x, x in y]", "[x for len in y]", "[0 for __x in y]", "x[::2]", "x[1:2, 3]",
    "x[1, 2]", "x[:, 1]",
    # too much
    "2 ** 999999", "x ** y", "1 << 99999", "x >> y", "x & y", "x | y", "x ^ y", "~x", "x @ y", "9" * 30, "1e999",
    "-1e999",
    "1j", "b'x'", "u'a' b'b'", "'" + "a" * 1500 + "'", "1" * 5000, "(" * 300 + ")" * 300, "[" * 150 + "]" * 150,
    "-" * 1500 + "1", "not " * 400 + "x", "x" + ".a" * 500, "x" + "[0]" * 400, "+".join(["1"] * 600), "x" + "(1)" * 300,
    "1 if x else " * 100 + "2", "a" * 3000, "x and " * 330 + "y",
    "[a for a in x for b in x for c in x for d in x]", "[[[[1 for a in x] for b in x] for c in x] for d in x]",
    # looks like something else
    "ｅｖａｌ", "ｌｅｎ(x)", "x.＿＿class＿＿", "x.__ｃlass__", "ℯval(x)", "аdmin", "x\u200b", "x == 'a\u202eb'",
    "x\x00", "x\x0c",
    "'''a'''", '"""a"""', "'\\x41'", "'\\N{DIGIT ONE}'", "'\\101'", "'a\\\nb'", "x # \u2028 y", "x\r+ y", "${x}",
    "#{x}",
]  # fmt: skip

STOPPED_BY_THE_BUDGET = [
    "'a' * 10000000000", "10000000000 * 'a'", "[0] * 1000000000", "1000000000 * [0]", "[[0] * 9999] * 9999",
    "[x for x in big for y in big]", "[1 for x in big for y in big for z in big]", "sum(1 for x in big for y in big)",
    "any(False for x in big for y in big)", "all(x == y for x in texts for y in texts for z in texts)",
    "[big for x in big]", "[x + x for x in texts for y in texts]", "big == big and [b for b in big if big == big]",
    "[b for b in big if -1 in big]", "[b for b in big if 'z' in texts[0]]", "[sorted(big) for b in big]",
    "[sum(big) for b in big]", "[len(big[:]) + b for b in big for c in big]", "[texts[0].upper() for b in big]",
    "[','.join(texts) for b in big]", "[texts[0].split('b') for b in big for c in big]", "',' .join(texts * 9999)",
    "big + big + big + big + big + big + big + big + big + big + big", "texts[0] * 1000", "huge * huge * huge * huge",
    "{str(x): [y for y in big] for x in big}", "[record.keys() for x in big for y in big]",
    "[[[1] * 900] * 900] == [[[1] * 900] * 900]", "str(huge * huge)", "int('9' * 4000)", "int(float('1e300'))",
    "1e18 * float('1e300')",
    "float('inf')", "float('nan')", "1e10 / 1e-300", "huge // -0.0", "max([big] * 500)", "str([1])", "str({})",
    "min([max(big) for b in big])", "round(1.5, 10000000)", "deep == deep2",
]  # fmt: skip


def nested(depth: int) -> list[Any]:
    value: list[Any] = []
    for _ in range(depth):
        value = [value]
    return value


DATA: dict[str, Any] = {
    "big": list(range(3000)),
    "texts": ["a" * 2000] * 200,
    "huge": 2**250,
    "record": {str(i): i for i in range(500)},
    "deep": nested(50_000),
    "deep2": nested(50_000),
}

REFUSED_SCRIPTS = [
    "import os", "from os import path", "def f(): pass", "class A: pass", "while True: pass", "for x in y: z = 1",
    "with x: y = 1", "try:\n    x = 1\nexcept: y = 1", "del x", "global x", "x += 1", "x: int = 1", "x = y = 1",
    "x, y = 1, 2",
    "[x, y] = z", "*x, y = z", "x[0] = 1", "x['a'] = 1", "x.y.z = 1", "x().y = 1", "x.__class__ = 1", "x.__dict__ = 1",
    "__x = 1", "_x = 1", "len = 1", "True = 1", "x", "f()", "print(1)", "return 1", "raise x", "assert x", "x = yield",
    "x = (y := 1)", "x = lambda: 1", "x = f'{y}'", "match x:\n    case 1: y = 1", "async def f(): pass", "exec('x')",
    "x = 1\n" * 2000, "if x:\n    " * 1 + "import os", "type X = int", "nonlocal x", "x = ().__class__", "ｘ = 1",
    "# a\u2028x = 1", "# a\rimport os", "x = 1 # \u202e",
    "\n".join("    " * i + "if x:" for i in range(40)) + "\n" + "    " * 40 + "y = 1",
]  # fmt: skip

STOPPED_SCRIPTS = [
    "a = [1] * 90\na = [a] * 90\na = [a] * 90\na = [a] * 90",  # shares its parts: small here, huge when saved
    "\n".join(["a = 'a' * 10000"] + ["a = a + a"] * 30),
    "\n".join(["a = 3"] + ["a = a * a"] * 100),
    "\n".join(["a = []"] + ["a = [a]"] * 40),
    "a = [x for x in big for y in big]",
    "if [x for x in big for y in big]:\n    a = 1",
]


@pytest.mark.parametrize("source", REFUSED_AT_SIGHT, ids=lambda source: source[:40])
def test_it_is_refused_before_anything_runs(source: str) -> None:
    with pytest.raises(ExpressionError) as caught:
        compile_expression(source)
    assert caught.value.message["zh-CN"] and caught.value.message["en"]


@pytest.mark.parametrize("source", STOPPED_BY_THE_BUDGET, ids=lambda source: source[:40])
def test_it_is_stopped_while_it_is_small(source: str) -> None:
    with pytest.raises(EvaluationError):
        compile_expression(source).evaluate(DATA)


@pytest.mark.parametrize("source", REFUSED_SCRIPTS, ids=lambda source: source[:40])
def test_a_script_of_any_other_kind_is_refused(source: str) -> None:
    with pytest.raises(ExpressionError):
        compile_script(source)


@pytest.mark.parametrize("source", STOPPED_SCRIPTS, ids=lambda source: source[:40])
def test_a_script_that_grows_without_end_is_stopped(source: str) -> None:
    with pytest.raises(EvaluationError):
        compile_script(source).run(DATA)


def test_a_field_called_like_a_python_attribute_reads_only_the_record() -> None:
    assert compile_expression("record.gi_frame").evaluate(DATA) is None
    assert compile_expression("record.keys").evaluate({"record": {"keys": 3}}) == 3


def test_a_method_name_reaches_no_object() -> None:
    for value in (object(), len, type, Exception, b"x", {1, 2}):
        for source in (
            "x.keys",
            "x.get('a')",
            "x.upper()",
            "x[0]",
            "x + x",
            "1 in x",
            "[y for y in x]",
            "len(x)",
            "x < x",
        ):
            with pytest.raises(EvaluationError):
                compile_expression(source).evaluate({"x": value})


def forbidden(*_: object, **__: object) -> None:
    raise AssertionError("code was evaluated")


def test_evaluation_needs_neither_eval_nor_exec_nor_compile(monkeypatch: pytest.MonkeyPatch) -> None:
    expression = compile_expression("[b.by for b in ballots if b.outcome == 'approve'] == who and max(1, 2) == 2")
    script = compile_script("if a > 1:\n    a = a + 1")
    with monkeypatch.context() as patch:
        for name in ("eval", "exec", "compile"):
            patch.setattr(builtins, name, forbidden)
        value = expression.evaluate({"ballots": [{"by": "a", "outcome": "approve"}], "who": ["a"]})
        assigned = script.run({"a": 2})
    assert value is True and assigned == {"a": 3}


def test_compiling_needs_neither_eval_nor_exec(monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        for name in ("eval", "exec"):
            patch.setattr(builtins, name, forbidden)
        expression = compile_expression("len(never_seen_before) + 41 == 42")
        script = compile_script("never_seen = before")
    assert expression.evaluate({"never_seen_before": [1]}) is True
    assert script.run({"before": 1}) == {"never_seen": 1}


WORDS = """
x y big 1 'a' None True ( ) [ ] { } , : . = == < in not and or if else for lambda * ** + - % is len sum max any
sorted str .get .items() .a [0] [1:] (x) ; @ := f'' async await # \\ ａ
""".split()  # noqa: SIM905


@given(st.lists(st.sampled_from([*WORDS, "\n", "\u3000"]), max_size=25))
@settings(max_examples=600, deadline=None)
def test_any_text_is_refused_or_answers_in_bounds(words: list[str]) -> None:
    source = " ".join(words)
    for compile_it, run_it in ((compile_expression, "evaluate"), (compile_script, "run")):
        try:
            compiled = compile_it(source)
        except ExpressionError:
            continue
        with contextlib.suppress(EvaluationError):
            getattr(compiled, run_it)(DATA)
