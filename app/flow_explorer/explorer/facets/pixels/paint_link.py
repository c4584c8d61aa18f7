"""What is asked of the engine while one paints: the painted picture's z, and the same made plausible."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from flow_explorer.engine.query import Query
from flow_explorer.engine.requests.pixels import Change, Plausible, PlausibleDraft, Repaint
from flow_explorer.explorer.facets.pixels.state import State, picture_key, scaled
from flow_explorer.explorer.model import Model, figures
from flow_explorer.explorer.store import Latent
from flow_explorer.explorer.view_model import Figures
from flowcore.pictures.painting import paint

__all__ = ["PaintLink"]


class PaintLink:
    """Keeps the painted picture, and what the engine says of it, equal to the subject's strokes."""

    def __init__(self, client: Any, on_change: Callable[[], None]) -> None:
        self._query = Query(client, on_change)
        self._painted_of: tuple | None = None
        self._known: Repaint | None = None
        self._key: tuple[np.ndarray, str, str] | None = None
        self.painted: np.ndarray | None = None
        """uint8 (H, W, C), the strokes on the subject, at once; None without a subject."""
        self.where = np.zeros((0, 0), bool)
        """Where it is painted."""
        self._clear()

    def _clear(self) -> None:
        self.before_figures = self.painted_figures = self.plausible_figures = Figures()
        self.changes: list[np.ndarray] = []
        """The stroke's change of z, one map a level, the finest first: float32 (h, w)."""
        self.channels: list[int] = []
        """How many numbers a place of each level has."""
        self.left: list[np.ndarray] = []
        """What is left of it in the plausible picture."""
        self.plausible: np.ndarray | None = None
        """uint8 (H, W, C)."""
        self.z: np.ndarray | None = None
        """Its z (D,)."""
        self.kept: float | None = None
        """Share of the stroke that the plausible picture keeps, 0 to 1."""
        self.inside = self.outside = 0.0
        """Mean difference of the plausible picture from the painted one, in grey levels, where it is painted and elsewhere."""
        self.result: Latent | None = None
        """The newest that is complete, which stands until a newer stroke or amount is: what is seen can then be taken."""
        self.result_figures = Figures()
        self.result_amount = 0.0

    @property
    def busy(self) -> bool:
        return self._query.busy

    @property
    def error(self) -> str:
        return self._query.error

    @property
    def dirty(self) -> bool:
        """Whether anything is painted."""
        return bool(self.where.any())

    @property
    def current(self) -> bool:
        """Whether what is known is of the strokes and the amount that are set, not of those before."""
        return self._known is not None and self._known is self._query.request

    def forget(self) -> None:
        """The engine is a new one: what was asked of the old one is to be asked again."""
        self._query.forget()

    def stop(self) -> None:
        """Nobody looks any more."""
        if self._query.busy:
            self._query.want(None)

    def key_of(self, subject: Latent) -> str:
        """What the subject's strokes are remembered by."""
        if self._key is None or self._key[0] is not subject.picture or self._key[1] != subject.model:
            self._key = (subject.picture, subject.model, picture_key(subject.model, subject.picture))
        return self._key[2]

    def sync(self, model: Model, subject: Latent | None, state: State) -> None:
        if subject is None:
            self._query.want(None)
            self._painted_of = self.painted = None
            self.where = np.zeros((0, 0), bool)
            self._clear()
            return
        key = self.key_of(subject)
        strokes = state.strokes(key)
        if (key, strokes) != self._painted_of:
            if self._painted_of is None or self._painted_of[0] != key:
                self._clear()
                self._query.want(None)
            self._painted_of = (key, strokes)
            self.painted, self.where = paint(subject.picture, scaled(strokes, *subject.picture.shape[:2]))
        if self.painted is None or not self.dirty:
            self._query.want(None)
            self._clear()
            return
        where = self.where.astype(np.uint8)
        request = Repaint(str(model.path), subject.picture, self.painted, where, state.amount, subject.label)
        self._query.want(request, lambda answer, _newest: self._answered(answer, request, model, subject),
                         lambda *_failure: self._clear())  # fmt: skip

    def _answered(self, answer: Change | PlausibleDraft | Plausible, request: Repaint, model: Model, subject: Latent) -> None:
        # An older stroke of the same picture may be shown until the newest has come.
        if isinstance(answer, Change):
            self.before_figures, self.painted_figures = figures(model.card, answer.before), figures(model.card, answer.painted)
            self.changes, self.channels = [np.array(each) for each in answer.maps], list(answer.channels)
        elif isinstance(answer, PlausibleDraft):
            self.plausible, self.z, self.plausible_figures, self.kept = np.array(answer.picture), None, Figures(), None
        else:
            self.z, self.plausible = np.array(answer.z), np.array(answer.picture)
            self.left = [np.array(each) for each in answer.left]
            self.kept, self.inside, self.outside = answer.kept, answer.inside, answer.outside
            self.plausible_figures = self.result_figures = figures(model.card, answer.bpd)
            self._known, self.result_amount = request, request.amount
            self.result = model.latent(self.z, self.plausible, subject.name, subject.label)
