"""Answers come through the pipe as they were, and what does not fit them raises nothing but `ProtocolError`."""

from __future__ import annotations

import dataclasses
import logging
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
from engine_test_requests import Echo, Half, Odd, Spin, Whole

from flow_explorer.engine import frames
from flow_explorer.engine.answers import (
    Answer,
    Numbers,
    Picture,
    Rows,
    from_answer,
    read_as,
    same_length,
    to_answer,
)
from flow_explorer.engine.protocol import FrameReader, ProtocolError, encode_frame
from flow_explorer.engine.requests.base import Request
from flow_explorer.engine.requests.explorer import (
    Edited,
    Encoded,
    EncodePicture,
    Encoding,
    PagePart,
    SamplePage,
)
from flowcore.model.labels import Label


@dataclass(frozen=True)
class Part:
    name: str
    values: Numbers | None = None


@dataclass(frozen=True, eq=False)
class Many(Answer):
    count: int
    share: float
    words: str | None
    label: Label
    parts: tuple[Part, ...]
    maps: tuple[Rows, ...]
    picture: Picture
    card: dict[str, Any]
    pair: tuple[str, int] = ("", 0)
    flag: bool = False

    def __post_init__(self) -> None:
        same_length(self.parts, self.maps)


def many(**changes) -> Many:
    parts = (Part("a", np.arange(3.0)), Part("b"))
    maps = (np.ones((2, 3), np.float32), np.zeros((0, 4)))
    picture = np.arange(12, dtype=np.uint8).reshape(2, 2, 3)
    made = Many(3, 0.25, None, ((1, 0.5), (2, 0.5)), parts, maps, picture, {"list": [1, {"x": None}]}, ("x", 1), True, done=True)
    return dataclasses.replace(made, **changes)


def through(answer: Answer) -> tuple[dict, dict]:
    """An answer's fields and arrays on the window's side of the pipe."""
    data, arrays = from_answer(answer)
    ((header, received),) = FrameReader().feed(encode_frame({"data": data}, arrays))
    return header["data"], received


def same(one: Any, other: Any) -> bool:
    if isinstance(one, np.ndarray):
        return one.dtype == other.dtype and one.shape == other.shape and bool((one == other).all())
    if isinstance(one, tuple):
        return type(other) is tuple and len(one) == len(other) and all(map(same, one, other))
    if dataclasses.is_dataclass(one):
        names = [field.name for field in dataclasses.fields(one)]
        return type(one) is type(other) and all(same(getattr(one, name), getattr(other, name)) for name in names)
    return type(one) is type(other) and one == other


def test_an_answer_comes_through_the_pipe_as_it_was():
    answer = many()
    assert same(answer, to_answer((Half, Many), "Many", *through(answer)))


def test_a_missing_field_takes_its_default_and_an_unknown_one_is_passed_over():
    data, arrays = through(many(pair=("", 0)))
    del data["pair"]
    assert same(many(pair=("", 0)), to_answer((Many,), "Many", {**data, "newer": {"a": 1}}, {**arrays, "newer": np.zeros(3)}))


def test_a_whole_number_may_stand_for_a_float_and_nothing_for_anything_else():
    data, arrays = through(many())
    assert type(read_as(Many, {**data, "share": 1}, arrays).share) is float
    for name, value in (
        ("count", True), ("count", 1.0), ("count", "1"), ("share", True), ("share", None), ("share", 10**400), ("words", 3),
        ("label", 4), ("label", [[1, 0.5, 2]]), ("parts", {}), ("parts", [1, 2]), ("parts", [{"values": None}] * 2),
        ("maps", ["maps.0"]),
        ("maps", ["maps.0", "none"]), ("maps", ["maps.0", []]), ("picture", "maps.0"), ("picture", None), ("card", []),
        ("pair", ["x"]), ("flag", 1), ("done", 0),
    ):  # fmt: skip
        with pytest.raises(ProtocolError):
            to_answer((Many,), "Many", {**data, name: value}, arrays)


def test_what_is_no_answer_of_the_request_is_refused():
    data, arrays = through(many())
    for kind, fields in (("Half", data), ("Other", data), ("Many", []), ("Many", None), ("Many", {})):
        with pytest.raises(ProtocolError):
            to_answer((Many,), kind, fields, arrays)
    with pytest.raises(ProtocolError, match="picture"):
        to_answer((Many,), "Many", data, {**arrays, "picture": arrays["picture"].astype(np.int32)})


def test_what_belongs_together_is_of_one_length():
    pictures, z = np.zeros((2, 4, 4, 3), np.uint8), np.zeros((2, 48), np.float32)
    assert PagePart(0, pictures, z).labels == ()
    with pytest.raises(ProtocolError):
        PagePart(0, pictures, z[:1])
    with pytest.raises(ProtocolError):
        PagePart(0, pictures, z, ((),))


def test_a_request_knows_its_answers_from_its_class_line():
    assert SamplePage.answers == (PagePart,) and EncodePicture.answers == (Encoding, Encoded, Edited) and Echo.answers == ()
    assert Request.answers == ()


# A frame that the protocol does not know


@pytest.mark.parametrize("header", [
    {}, {"type": None}, {"type": ["answer"]}, {"type": "other"}, {"type": "answer", "id": "1"}, {"type": "error", "id": 1},
    {"type": "progress", "id": 1, "fraction": "half"}, {"type": "ready", "info": {}}, {"type": "over"}, {"type": "notice"},
    {"type": "ready", "info": {"devices": [1], "device": "cpu", "versions": {}}},
])  # fmt: skip
def test_an_odd_header_is_refused(header):
    with pytest.raises(ProtocolError):
        frames.read(header)


ODD = [
    {"type": "answer", "kind": "Whole", "data": {}, "done": True, "stream": False},
    {"type": "answer", "kind": "Whole", "data": {"values": "values"}, "done": True, "stream": True},
    {"type": "answer", "kind": "Half", "data": {"number": "one"}, "done": False, "stream": True},
    {"type": "answer", "kind": "Other", "data": {"number": 1}, "done": False, "stream": False},
    {"type": "answer", "kind": 7, "data": None},
    {"type": "progress", "fraction": None},
    {"type": "error"},
    {"type": "surprise"},
]


def test_an_odd_frame_fails_its_request_in_a_sentence_and_the_engine_goes_on(engine, qtbot, caplog):
    for header in ODD:
        answers, errors = [], []
        with caplog.at_level(logging.WARNING, "flow-explorer"), qtbot.captureExceptions() as raised:
            engine.send(Odd(header), on_answer=answers.append, on_error=lambda *error, errors=errors: errors.append(error))
            assert engine.wait_until_idle(10_000), header
        assert [type(answer) for answer in answers] == [Half], header
        ((sentence, details),) = errors
        assert sentence.startswith("The engine's answer could not be read") and details and details in caplog.text and not raised
    answers = []
    engine.send(Odd({}), on_answer=answers.append)
    assert engine.wait_until_idle(10_000)
    assert [type(answer) for answer in answers] == [Half, Whole] and answers[1].values.tolist() == [0, 1, 2]


def test_an_odd_frame_of_no_request_is_a_notice(engine, qtbot):
    notices = []
    engine.notice.connect(notices.append)
    for header in ({"type": "surprise"}, {"type": "ready", "info": 3}, {"type": "over", "id": [1]}, {"id": {}}):
        engine._on_message(header, {})
    engine.notice.disconnect(notices.append)
    assert len(notices) == 4 and all("could not be read" in notice for notice in notices) and engine.device


def test_a_hung_engine_leaves_the_window_alive_and_is_ended(make_engine, qtbot):
    client = make_engine()
    pid, answers, again = client.pid, [], []
    client.send(Spin())
    client.send(Odd({}), on_answer=answers.append)  # whichever has the first turn, the other never has another
    assert not client.wait_until_idle(300) and client.state == "busy"
    assert not any(isinstance(answer, Whole) for answer in answers)
    client.stop()  # the fixture looks whether its process is gone
    assert client.state == "stopped" and client.is_idle()
    client.start()
    client.send(Odd({}), on_answer=again.append)
    assert client.wait_until_idle(60_000) and len(again) == 2 and client.pid != pid
