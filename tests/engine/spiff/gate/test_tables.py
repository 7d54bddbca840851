"""Plain tables in a deployment: what the house knows is checked by line, what it does not know is refused."""

from __future__ import annotations

from tests.engine.spiff.gate.building import bundle, everything, found, said


def test_a_table_with_faults_is_refused_by_file_line_and_row() -> None:
    (problem,) = found(everything() | {"words.csv": b"word\nbad\n"})
    assert (problem.file, problem.line, problem.element, problem.code) == ("words.csv", 2, "W1", "table")


def test_a_table_nothing_reads_is_refused() -> None:
    assert said(bundle(prices_csv=b"a,b\n")) == [("", "table-unknown")]


def test_a_process_whose_table_is_not_there_is_refused() -> None:
    files = everything()
    del files["words.csv"]
    assert ("everything", "table-missing") in said(files)
