"""The engine's loop without a process: what tests put in, and what it says."""

from __future__ import annotations

import queue

import torch

from flow_explorer.engine.answers import to_answer
from flow_explorer.engine.loop import Loop
from flow_explorer.engine.protocol import FrameReader, encode_frame
from flow_explorer.engine.requests.base import to_fields


class Machine:
    """A loop, what it was sent, and what it said."""

    def __init__(self, device="cpu"):
        self.inbox, self.said, self.arrays = queue.SimpleQueue(), [], []
        self.acknowledging = False
        self.loop = Loop(self.inbox, self._hear, torch.device(device))
        self.count = 0

    def _hear(self, header, arrays):
        self.said.append(header)
        self.arrays.append(arrays)
        if self.acknowledging and header.get("stream"):
            self.tell(type="ack", id=header["id"])

    def send(self, request) -> int:
        self.count += 1
        fields, arrays = to_fields(request)
        header = {"type": "request", "id": self.count, "kind": request.kind, "fields": fields}
        self.inbox.put((header, arrays))
        return self.count

    def tell(self, **header):
        self.inbox.put((header, {}))

    def run(self, turns=1000):
        for _ in range(turns):
            self.loop.turn(wait=False)

    def of(self, id_, type_="answer"):
        return [header for header in self.said if header["type"] == type_ and header.get("id") == id_]

    def ask(self, request):
        """Send, run until it is over, and give its answers, through the pipe; (data, arrays) where the request declares none."""
        self.acknowledging = True
        id_ = self.send(request)
        for _ in range(100_000):
            if self.of(id_, "over") or self.of(id_, "error"):
                break
            self.loop.turn(wait=False)
        errors = self.of(id_, "error")
        if errors:
            raise AssertionError(errors[0]["sentence"] + errors[0]["traceback"])
        return self.answers(id_, request)

    def answers(self, id_, request):
        """What a request has been answered so far, as `ask` gives it."""
        pairs = zip(self.said, self.arrays, strict=True)
        mine = [(header, arrays) for header, arrays in pairs if header["type"] == "answer" and header["id"] == id_]
        if not request.answers:
            return [(header["data"], arrays) for header, arrays in mine]
        read = [FrameReader().feed(encode_frame(header, arrays))[0] for header, arrays in mine]
        return [to_answer(request.answers, header["kind"], header["data"], arrays) for header, arrays in read]

    def error_of(self, request) -> str:
        """Send, run until it fails, and give its sentence."""
        id_ = self.send(request)
        self.run(2000)
        (error,) = self.of(id_, "error")
        return error["sentence"]
