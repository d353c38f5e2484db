"""`tf.contrib.training.HParams`: types are kept, texts are read, mistakes change nothing."""

from __future__ import annotations

from typing import Any

import pytest

import pullback.v1 as tf

HParams = tf.contrib.training.HParams


def made() -> Any:
    return HParams(rate=0.1, units=100, layers=["relu", "tanh"], sizes=[1, 2], on=True, name="x", anything=None)


def test_settings_are_attributes_and_keep_their_types() -> None:
    h = made()
    h.set_hparam("rate", 1)
    assert h.rate == 1.0 and type(h.rate) is float
    assert "rate" in h and "other" not in h and h.get("other", 3) == 3
    assert list(h) == ["rate", "units", "layers", "sizes", "on", "name", "anything"]
    assert h.get("units", 5) == 100
    h.set_hparam("anything", "text")
    assert h.anything == "text"


def test_a_text_changes_settings() -> None:
    h = made().parse("rate=3e-1, layers=[relu, elu],on=false,sizes[1]=7,name=a b,units=-4")
    assert (h.rate, h.layers, h.on, h.sizes, h.name, h.units) == (0.3, ["relu", "elu"], False, [1, 7], "a b", -4)
    assert tf.contrib.training.parse_values("a=1,b[2]=3", {"a": int, "b": float}) == {"a": 1, "b": {2: 3.0}}
    assert tf.contrib.training.parse_values("a=1,c=3", {"a": int}, ignore_unknown=True) == {"a": 1}


def test_json_both_ways() -> None:
    h = made().parse_json('{"name": "y", "sizes": [3, 4]}')
    assert (h.name, h.sizes) == ("y", [3, 4])
    again = made().parse_json(h.to_json(sort_keys=True))
    assert again.values() == h.values()
    h.add_hparam("activation", len)
    assert "activation" not in h.to_json(ignore_unsupported=True)
    h.del_hparam("activation")
    assert str(HParams(b=1, a=2)) == "[('a', 2), ('b', 1)]"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("rate=abc", "Could not parse hparam 'rate' of type 'float'"),
        ("other=3", "Unknown hyperparameter: other: there are .*rate"),
        ("rate", "Malformed"),
        ("rate=1,rate=2", "Multiple assignments"),
        ("sizes[0]=1,sizes[0]=2", "Multiple assignments"),
        ("sizes=3", "Must pass a list"),
        ("units=[3]", "Must pass no list"),
        ("on=3", "of type 'bool'"),
        ("units=2.5", "of type 'int'"),
    ],
)
def test_a_wrong_text_changes_nothing(text: str, words: str) -> None:
    h = made()
    with pytest.raises(ValueError, match=words):
        h.parse(text)
    assert h.values() == made().values()


@pytest.mark.parametrize(
    ("name", "value"), [("units", 1.5), ("units", "3"), ("units", True), ("on", 1), ("rate", True), ("name", 3)]
)
def test_a_value_of_another_type_is_an_error(name: str, value: Any) -> None:
    with pytest.raises(ValueError, match=f"Could not cast hparam '{name}'"):
        made().set_hparam(name, value)


def test_mistakes() -> None:
    with pytest.raises(ValueError, match="reserved: parse"):
        HParams(parse=3)
    with pytest.raises(ValueError, match="cannot be empty"):
        HParams(sizes=[])
    with pytest.raises(KeyError):
        made().set_hparam("other", 3)
    with pytest.raises(ValueError, match="Could not cast"):
        made().get("rate", "text")
