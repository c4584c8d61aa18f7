"""Pictures that stay on disk: decoded by other processes shortly before they are asked for."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field, replace

import numpy as np

from ..errors import DataError, PictureError
from ..pictures.image_headers import Header, read_header
from .pool import Decoded, DecodingPool, Item, shared_pool
from .reading import Reading
from .rows import row_numbers
from .sources import Source
from .worker import decode

__all__ = ["StreamedPictures", "all_grey", "scan"]

AHEAD_BATCHES = 8
AHEAD_BYTES = 256 * 2**20
"""So much is decoded ahead of what is asked for, at most; one batch at least."""

CHUNK = 16
"""Pictures that go to a process in one message."""

MAX_IN_A_ROW = 50
"""So many pictures that cannot be read one after another are no longer a broken picture but broken data."""


@dataclass(eq=False)
class _Batch:
    indices: np.ndarray
    read: np.ndarray
    """The same, with the stand-ins of pictures known to be broken."""
    moves: np.ndarray | None = None
    parts: list[tuple[slice, Future]] = field(default_factory=list)

    def move(self, position: int) -> list[float] | None:
        """How one of them is moved, as JSON takes it."""
        return None if self.moves is None else self.moves[position].tolist()


class StreamedPictures:
    """An array (N, H, W, C) uint8 whose rows are read from ``source`` when they are asked for.

    It is indexed by a number, a slice, or an array of numbers, and gives the bytes that decoding everything
    beforehand would have given. A picture that can no longer be read is replaced, in all that follows, by the
    next readable one of its class; ``broken`` tells of it, and ``on_broken(name, sentence)`` is called once.

    Raises on indexing:
        DataError: where the pictures as a whole can no longer be read.
    """

    dtype = np.dtype(np.uint8)
    ndim = 4

    def __init__(
        self,
        source: Source,
        chosen: Sequence[int] | np.ndarray,
        reading: Reading,
        shape: tuple[int, int, int],
        labels: np.ndarray | None = None,
        on_broken: Callable[[str, str], None] | None = None,
        workers: int | None = None,
    ) -> None:
        self.source, self.chosen, self.reading = source, np.asarray(chosen, np.int64), reading
        self.shape = (len(self.chosen), *shape)
        self.broken: dict[str, str] = {}
        self._labels, self._on_broken, self._worker_count = labels, on_broken, workers
        self._pool: DecodingPool | None = None
        self._stand_ins: dict[int, int] = {}
        self._waiting: deque[_Batch] = deque()
        self._order: Callable[[int], tuple[np.ndarray, np.ndarray | None]] | None = None
        self._step = 0
        self._read_to: int | None = None

    def __len__(self) -> int:
        return self.shape[0]

    @property
    def nbytes(self) -> int:
        """What all of it would take in memory, in bytes."""
        return int(np.prod(self.shape, dtype=np.float64))

    def follow(
        self,
        order: Callable[[int], np.ndarray],
        start: int = 0,
        moves: Callable[[int], np.ndarray | None] = lambda step: None,
    ) -> None:
        """From now on batch ``order(start)`` is asked for, with ``moves(start)``, then the next one …: decode them ahead.

        It changes when pictures are decoded and nothing else; what is asked for out of turn is read at once.
        """
        self._forget()
        self._order, self._step = lambda step: (order(step), moves(step)), start
        self._fill()

    def close(self) -> None:
        """Stop reading ahead."""
        self._order = None
        self._forget()

    def __getitem__(self, index: int | slice | Sequence[int] | np.ndarray) -> np.ndarray:
        if isinstance(index, (int, np.integer)):
            return self[np.array([index])][0]
        indices = row_numbers(index, len(self))
        return self._rows(indices, None, in_turn=isinstance(index, slice))

    def visited(self, index: np.ndarray, moves: np.ndarray | None) -> np.ndarray:
        """The rows of those numbers, each cut anew from its file with its move (n, 4)."""
        return self._rows(row_numbers(index, len(self)), moves)

    # -- what is asked for, now and next

    def _rows(self, indices: np.ndarray, moves: np.ndarray | None, in_turn: bool = False) -> np.ndarray:
        if len(indices) == 0:
            return np.empty((0, *self.shape[1:]), np.uint8)
        batch = self._take(indices, moves) or self._request(indices, moves, urgent=True)
        if self._order is not None:
            self._fill()
        elif in_turn:
            self._read_on(indices)
        return self._gather(batch)

    def _take(self, indices: np.ndarray, moves: np.ndarray | None) -> _Batch | None:
        """The batch that was asked for ahead, if it was; what came before it is let go."""
        for position, batch in enumerate(self._waiting):
            if np.array_equal(batch.indices, indices) and _same(batch.moves, moves):
                for _ in range(position):
                    self._cancel(self._waiting.popleft())
                return self._waiting.popleft()
        return None

    def _fill(self) -> None:
        while self._order is not None and len(self._waiting) < AHEAD_BATCHES:
            held = sum(len(batch.indices) for batch in self._waiting) * int(np.prod(self.shape[1:]))
            if self._waiting and held > AHEAD_BYTES:
                return
            order, moves = self._order(self._step)
            self._waiting.append(self._request(row_numbers(order, len(self)), moves, urgent=False))
            self._step += 1

    def _read_on(self, indices: np.ndarray) -> None:
        """Slices that follow one another, as in an evaluation, are read one ahead."""
        start, stop = int(indices[0]), int(indices[-1]) + 1
        if stop - start != len(indices):
            return
        following = np.arange(stop, min(stop + len(indices), len(self)))
        if start == self._read_to and len(following) and not self._waiting:
            self._waiting.append(self._request(following, None, urgent=False))
        self._read_to = stop

    def _request(self, indices: np.ndarray, moves: np.ndarray | None, urgent: bool) -> _Batch:
        if self._pool is None or self._pool.closed:
            self._pool = shared_pool(self._worker_count)
        batch = _Batch(indices, np.array([self._stand_in(int(index)) for index in indices]), moves)
        step = max(1, min(CHUNK, -(-len(indices) // self._pool.workers)))
        for start in range(0, len(indices), step):
            part = slice(start, min(start + step, len(indices)))
            items = [self._item(int(batch.read[at]), batch.move(at)) for at in range(part.start, part.stop)]
            batch.parts.append((part, self._pool.submit(items, self.reading, self.shape[1:], urgent)))
        return batch

    def _item(self, index: int, move: list[float] | None) -> Item:
        number = int(self.chosen[index])
        path = self.source.path(number)
        if path is not None:
            return Item(self.source.names[number], str(path), move=move)
        return Item(self.source.names[number], read=lambda: self.source.read(number), move=move)

    def _forget(self) -> None:
        while self._waiting:
            self._cancel(self._waiting.popleft())

    @staticmethod
    def _cancel(batch: _Batch) -> None:
        for _, future in batch.parts:
            future.cancel()

    # -- what comes back

    def _gather(self, batch: _Batch) -> np.ndarray:
        rows = np.empty((len(batch.indices), *self.shape[1:]), np.uint8)
        errors: dict[int, str] = {}
        for part, future in batch.parts:
            decoded: Decoded = future.result()
            rows[part] = decoded.rows
            errors.update({part.start + position: text for position, text in decoded.errors.items()})
        for position in sorted(errors):
            rows[position] = self._replacement(int(batch.read[position]), errors[position], batch.move(position))
        return rows

    def _stand_in(self, index: int) -> int:
        while index in self._stand_ins:
            index = self._stand_ins[index]
        return index

    def _replacement(self, index: int, sentence: str, move: list[float] | None) -> np.ndarray:
        """The row that takes the place of one that cannot be read."""
        self._report(index, sentence)
        failures = 0
        for other in self._candidates(index):
            if other in self._stand_ins or self.source.names[self.chosen[other]] in self.broken:
                continue
            number = int(self.chosen[other])
            try:
                path = self.source.path(number)
                data = str(path) if path is not None else self.source.read(number)
                row = decode(data, self.source.names[number], self.reading, self.shape[1:], move)
            except PictureError as error:
                sentence, failures = str(error), failures + 1
                self._report(other, sentence)
                if failures == MAX_IN_A_ROW:
                    break
                continue
            self._stand_ins[index] = other
            return row
        what = "of its class " if self._labels is not None else ""
        raise DataError(
            f"{self.source.where}: {self.source.names[self.chosen[index]]} can no longer be read, and no picture "
            f"{what}was found to take its place; the last: {sentence}"
        )

    def _candidates(self, index: int) -> Iterator[int]:
        if self._labels is None:
            same = np.arange(len(self))
        else:
            same = np.flatnonzero(self._labels == self._labels[index])
        after = int(np.searchsorted(same, index, "right"))
        for other in np.concatenate([same[after:], same[:after]]):
            if other != index:
                yield int(other)

    def _report(self, index: int, sentence: str) -> None:
        name = self.source.names[self.chosen[index]]
        if name not in self.broken:
            self.broken[name] = sentence
            if self._on_broken is not None:
                self._on_broken(name, sentence)


def _same(one: np.ndarray | None, other: np.ndarray | None) -> bool:
    return one is other or (one is not None and other is not None and np.array_equal(one, other))


def scan(
    source: Source, chosen: Sequence[int], on_progress: Callable[[int, int], None] | None = None
) -> Iterator[tuple[int, Header | str]]:
    """(number, header) of every chosen picture, or (number, sentence) of one that is seen not to be readable."""
    for done, number in enumerate(chosen, 1):
        name, path = source.names[number], source.path(number)
        try:
            yield number, read_header(path if path is not None else source.read(number), name)
        except PictureError as error:
            yield number, str(error)
        if on_progress is not None:
            on_progress(done, len(chosen))


def all_grey(
    source: Source, kept: Sequence[tuple[int, Header]], reading: Reading, size: tuple[int, int]
) -> bool:
    """Whether every picture is grey as a model sees it; the first coloured one ends the search."""
    reading = replace(reading, channels=3)
    background = reading.background
    colourless = background in (None, "checker") or len({background[i : i + 2] for i in (1, 3, 5)}) == 1
    for number, header in kept:
        if header.grey and colourless:
            continue
        path = source.path(number)
        try:
            data = str(path) if path is not None else source.read(number)
            row = decode(data, source.names[number], reading, (*size, 3))
        except PictureError:
            continue
        if (row[..., :1] != row).any():
            return False
    return True
