"""CSV that a spreadsheet shows as it stands."""

from __future__ import annotations

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evalcore.formats.spreadsheet import csv_table


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@x", "\tx", "\rx", "\nx", "\uff1d1"])
def test_what_could_be_a_formula_is_text(text):
    ((cell,),) = csv.reader(io.StringIO(csv_table(["a"], [[text]]).removeprefix("a\n"), newline=""))
    # A carriage return alone would end the row for some readers.
    assert cell == f"'{text}".replace("\r", "\n")


def test_numbers_stay_numbers_and_nothing_is_empty():
    assert csv_table(["a", "b", "c", "d"], [[-0.5, None, True, 3]]) == "a,b,c,d\n-0.5,,true,3\n"


@given(st.lists(st.text(alphabet=st.characters(exclude_categories=["Cs", "Cc"])), min_size=2, max_size=4))
def test_any_other_text_is_read_back_as_it_was(row):
    written = csv_table([str(at) for at in range(len(row))], [row])
    _, read = csv.reader(io.StringIO(written, newline=""))
    assert [cell.removeprefix("'") for cell in read] == [cell.removeprefix("'") for cell in row]
