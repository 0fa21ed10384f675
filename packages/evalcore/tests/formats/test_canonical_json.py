import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evalcore.formats.strict_json import encode_canonical, fingerprint, rounded, sha256_of

scalars = (
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text()
)
values = st.recursive(
    scalars, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=20
)


@given(values)
def test_what_is_written_reads_back_equal(value):
    assert json.loads(encode_canonical(value)) == value


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_rounding_keeps_nine_significant_digits_and_is_idempotent(value):
    once = rounded(value)
    assert rounded(once) == once
    assert math.isclose(once, value, rel_tol=5e-9)


def test_floats_are_written_as_repr():
    assert (
        encode_canonical({"a": 0.1, "b": 1e-07, "c": 1.0})
        == b'{\n  "a": 0.1,\n  "b": 1e-07,\n  "c": 1.0\n}\n'
    )


def test_a_lone_surrogate_is_written_as_its_escape():
    assert encode_canonical("\ud800é") == '"\\ud800é"\n'.encode()


def test_nan_and_infinity_are_refused():
    for value in (math.nan, math.inf):
        with pytest.raises(ValueError, match="JSON compliant"):
            encode_canonical(value)


def test_a_fingerprint_does_not_depend_on_the_order_of_keys():
    assert fingerprint({"a": 1, "b": [2]}) == fingerprint({"b": [2], "a": 1})
    assert sha256_of({"a": 1, "b": 2}) == sha256_of({"b": 2, "a": 1})
    assert fingerprint(True) != fingerprint(1)
