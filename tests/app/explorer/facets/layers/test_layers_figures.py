"""The layers' words and sums: state, names, terms, and z against its prior."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from PySide6.QtCore import QPointF, Qt

from flow_explorer.engine.requests.layers import Place
from flow_explorer.explorer.facets.layers.names import formula, level_name, place_name, signed, title
from flow_explorer.explorer.facets.layers.player import StagePlayer
from flow_explorer.explorer.facets.layers.prior_view import PriorView
from flow_explorer.explorer.facets.layers.qq_view import QQView
from flow_explorer.explorer.facets.layers.state import State
from flow_explorer.explorer.facets.layers.terms_view import TermsView
from flow_explorer.explorer.facets.layers.view_model import LayersView, bits
from flow_explorer.explorer.state import ExplorerState
from flowcore.errors import ConfigError
from tests.app.explorer.facets.layers.case import (
    COUNT,
    LAYERS,
    LEFT,
    LOG_DETS,
    OUTLINE,
    filled,
    own,
)


def test_state_survives_json_and_refuses_what_it_cannot_be():
    for state in (State(), State("prior", "decode", 12, 2)):
        assert State.from_dict(state.to_dict()) == state
    assert State().to_dict() == {}
    whole = replace(ExplorerState(), facet="layers").with_facet("layers", State(stage=3))
    assert ExplorerState.from_dict(whole.to_dict()) == whole
    for broken in ({"part": "x"}, {"way": 3}, {"stage": -1}, {"stage": True}, {"stage": 1.5}, {"level": 99}, {"level": "a"}):
        with pytest.raises(ConfigError):
            State.from_dict(broken)


def test_every_layer_has_a_name_a_place_and_a_formula():
    places = [Place(*layer) for layer in LAYERS]
    assert all(title(place) and formula(place) for place in places)
    assert title(Place("something new", 1, 1)) == "Layer"
    assert place_name(places, 4) == "level 1, step 1 of 2" and place_name(places, 9) == "level 1"
    assert place_name(places, 0) == "before the first layer" and place_name(places, COUNT - 1) == "after the last layer"
    assert level_name(1, 2).endswith("finest") and level_name(2, 2).endswith("coarsest") and level_name(0, 2) == "All of z"
    assert (signed(1234.56, 1), signed(-0.5, 3), signed(-0.0001, 3)) == ("+1,234.6", "−0.500", "0.000")


def test_rows_add_up_to_the_likelihood():
    begun = LayersView()
    begun.take(OUTLINE)
    assert all(row.nats is None for row in begun.rows()) and begun.sums() == []
    view = filled()
    assert view.complete
    rows = view.rows()
    assert [row.kind for row in rows] == ["start", "layers", "layers", "volume", "prior", "prior", "likelihood"]
    assert [row.count for row in rows] == [1, 8, 5, 14, 96, 96, 192]
    terms = [row.nats for row in rows if row.kind in ("start", "layers", "prior") and row.nats is not None]
    assert len(terms) == 5 and sum(terms) == pytest.approx(rows[-1].nats) and sum(terms[:3]) == pytest.approx(rows[3].nats)
    assert sum(bits(term, 192) for term in terms) == pytest.approx(view.bpd)
    np.testing.assert_allclose(view.sums(), np.cumsum(LOG_DETS))


def test_the_player_ends_where_it_should():
    player = StagePlayer()
    player._from, player._to, player._speed = 2.0, 10.0, 4.0
    assert (player.place_after(1.0), player.place_after(9.0)) == (6.0, 10.0)
    player._from, player._to = 2.0, 0.0
    assert (player.place_after(0.25), player.place_after(9.0)) == (1.0, 0.0)


def test_the_terms_are_shown_and_explained(qtbot):
    view, terms = filled(), TermsView()
    qtbot.addWidget(terms)
    terms.show_view(view)
    names = [terms.name(row) for row in terms.rows]
    assert names == ["Before level 1", "Level 1: 8 layers", "Level 2: 5 layers", "Σ log-det", "Prior of level 1",
                     "Prior of level 2", "log p(x)"]  # fmt: skip
    assert terms.figures(terms.rows[1]) == ("+436.0", signed(-436 / 192 / math.log(2), 3))
    assert terms.figures(terms.rows[-1])[1] == f"{view.bpd:.3f}"
    assert terms.figures(replace(terms.rows[-1], nats=-74489000.4)) == ("−74,489,000", "559713.1")  # a checkerboard's
    assert all("\n" in terms.tip(index) for index in range(len(names))) and terms.tip(-1) == ""
    tops = [terms._top(index) for index in range(len(names))]
    assert [terms._row_at(top + 3) for top in tops] == list(range(len(names)))
    assert terms.sizeHint().height() >= tops[-1] + 19


def test_plots_by_level_and_the_figures_of_the_chosen_one(workspace, facet, qtbot):
    panel = facet.panel
    qtbot.mouseClick(panel.part.button("prior"), LEFT)
    assert own(workspace).part == "prior" and panel.pages.currentIndex() == 1
    plots, prior = panel.prior.plots, panel.prior
    assert prior.heading.text() == "All of z" and prior.rows["count"].value.text() == "192"
    qtbot.mouseClick(plots, LEFT, pos=plots.plot(2).center().toPoint())
    assert own(workspace).level == 1
    assert prior.heading.text() == "Level 2, the coarsest" and prior.rows["count"].value.text() == "96"
    assert float(prior.rows["deviation"].value.text()) == pytest.approx(2.0, abs=0.4)
    qtbot.keyClick(plots, Qt.Key.Key_Left)
    assert own(workspace).level == 0
    tip = plots.tip(QPointF(plots.plot(1).center()))
    assert tip.startswith("Level 1, the finest: where the prior has") and "95 of 100" in tip
    workspace.history.undo()
    assert own(workspace).level == 1
    assert not plots.grab().isNull() and not prior.shells.grab().isNull()


def test_tiles_lie_apart_inside_the_view(qtbot):
    plots = QQView()
    qtbot.addWidget(plots)
    plots.show_tiles(PriorView.tiles(filled()), -1, "")
    for size in ((900, 500), (400, 700), (200, 200)):
        plots.resize(*size)
        tiles = [plots.cell(index) for index in range(3)]
        assert not any(a.intersects(b) for a in tiles for b in tiles if a is not b)
        if size != (200, 200):
            assert all(plots.rect().contains(tile.toAlignedRect().adjusted(1, 1, -1, -1)) for tile in tiles)
        assert [plots.index_at(tile.center()) for tile in tiles] == [0, 1, 2]


def test_the_gauge_tells_where_z_is_and_held_out_pictures_only_where_they_are_known(workspace, facet, make_checkpoint, client):
    shells, prior = facet.panel.prior.shells, facet.panel.prior
    assert shells.words(2).endswith("outside") and "on it" in shells.words(1)
    assert "not on this model's card" in prior.held_out.text()
    rows = [[9.0, 10.0, 11.0], [8.0, 9.5, 12.0], [13.0, 14.0, 15.0]]
    path = make_checkpoint("known", held_out={"bpd_quantiles": [1.0, 2.0, 3.0], "norm_quantiles": rows})
    workspace.acts.set_model(str(path), 4, 0.7)
    client.run()
    assert "held-out pictures 13.0 to 15.0, 14.0 in their middle" in shells.words(0)
    assert "orange" in prior.held_out.text() and not shells.grab().isNull()
