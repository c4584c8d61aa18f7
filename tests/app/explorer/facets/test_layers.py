"""The facet of layers, driven through its real widgets; then on the real engine."""

from __future__ import annotations

import math
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
from PySide6.QtCore import QPoint, QPointF, Qt

from app import theme
from app.engine.requests_layers import DecodeLayers, EncodeLayers
from app.explorer.facets.layers.names import formula, level_name, place_name, signed, title
from app.explorer.facets.layers.panel import Panel
from app.explorer.facets.layers.player import StagePlayer
from app.explorer.facets.layers.prior_view import PriorView
from app.explorer.facets.layers.qq_view import QQView
from app.explorer.facets.layers.scrubber import Scrubber
from app.explorer.facets.layers.state import State
from app.explorer.facets.layers.terms_view import TermsView
from app.explorer.facets.layers.view_model import LayersView, Place, bits
from app.explorer.state import ExplorerState
from flowcore.errors import ConfigError
from flowcore.qq import against_prior

LEFT = Qt.MouseButton.LeftButton
SIZE = 8
LAYERS = [
    ["pixels", 0, 0], ["rescale", 0, 0], ["squeeze", 1, 0], ["actnorm", 1, 1], ["linear", 1, 1], ["coupling", 1, 1],
    ["actnorm", 1, 2], ["linear", 1, 2], ["coupling", 1, 2], ["split", 1, 0], ["squeeze", 2, 0], ["actnorm", 2, 1],
    ["linear", 2, 1], ["coupling", 2, 1], ["prior", 2, 0],
]  # fmt: skip
LEVELS = [["level 1", 96], ["level 2", 96]]
COUNT = len(LAYERS)
LOG_DETS = [0.0, -1064.7, 0.0, 300.0, -4.0, 40.0, 12.0, 3.0, 25.0, 60.0, 0.0, 80.0, 2.0, 15.0, 30.0]
PRIOR = [-130.0, -140.0]


def curve(z: np.ndarray, name: str, arrays: dict) -> dict:
    found = against_prior(z)
    for part in ("expected", "found", "low", "high"):
        arrays[f"{part}.{name}"] = np.array(getattr(found, part))
    data = {key: getattr(found, key) for key in ("count", "kind", "distance", "p_value", "mean", "deviation", "kurtosis",
                                                 "prior_deviation", "prior_kurtosis")}  # fmt: skip
    return data | {"shell": [found.shell.norm, found.shell.low, found.shell.centre, found.shell.high]}


def answers(request):
    """What the engine says, in its order; every stage's picture is of one grey."""
    yield {"part": "outline", "layers": LAYERS, "levels": LEVELS}, {}, False
    forward = isinstance(request, EncodeLayers)
    starts = list(range(0, COUNT, 6))
    for start in starts if forward else starts[::-1]:
        count = min(6, COUNT - start)
        pictures = np.stack([np.full((SIZE, SIZE, 3), 10 * (start + i), np.uint8) for i in range(count)])
        data = {"part": "stages", "first": start, "count": count}
        if forward:
            data["log_dets"] = LOG_DETS[start : start + count]
        ranges = np.array([(-1.5 - start - i, 2.0) for i in range(count)])
        yield data, {"pictures": pictures, "ranges": ranges}, False
    log_prob = sum(LOG_DETS) + sum(PRIOR)
    yield ({"part": "terms", "log_dets": LOG_DETS, "prior": PRIOR, "log_prob": log_prob, "bpd": -log_prob / 192 / math.log(2)},
           {}, False)  # fmt: skip
    arrays: dict = {}
    z = np.random.default_rng(3).standard_normal(192)
    levels = [curve(z[:96], "0", arrays), curve(2 * z[96:], "1", arrays)]
    yield {"part": "prior", "levels": levels, "all": curve(z, "all", arrays)}, arrays, False
    yield {"part": "check", "difference": 3e-14}, {}, True


def filled() -> LayersView:
    """All that comes of one picture."""
    view = LayersView()
    for data, arrays, _ in answers(EncodeLayers("m", np.zeros((8, 8, 3), np.uint8))):
        take = {"outline": lambda data, _: view.begin(data["layers"], data["levels"]), "stages": view.take_stages,
                "terms": lambda data, _: view.take_terms(data), "prior": view.take_prior}.get(data["part"])  # fmt: skip
        if take is not None:
            take(data, arrays)
    view.difference = 3e-14
    return view


@pytest.fixture
def client(client):
    """The stand-in engine that also knows this facet's requests."""
    plain = client.work
    client.work = lambda request: (answers if isinstance(request, EncodeLayers | DecodeLayers) else plain)(request)
    return client


@pytest.fixture
def facet(workspace, client):
    """The facet in front, with the first sample followed."""
    workspace.look_deeper()
    workspace.acts.select(0)
    client.run()
    workspace.acts.show_facet("layers")
    client.run()
    return workspace.controller.facets["layers"]


def own(workspace) -> State:
    return workspace.history.state.of("layers")


# -- state and words -----------------------------------------------------------------------------------------------------


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
    begun.begin(LAYERS, LEVELS)
    assert all(row.nats is None for row in begun.rows()) and begun.sums() == []
    view = filled()
    assert view.complete
    rows = view.rows()
    assert [row.kind for row in rows] == ["start", "layers", "layers", "volume", "prior", "prior", "likelihood"]
    assert [row.count for row in rows] == [1, 8, 5, 14, 96, 96, 192]
    terms = [row.nats for row in rows if row.kind in ("start", "layers", "prior")]
    assert sum(terms) == pytest.approx(rows[-1].nats) and sum(terms[:3]) == pytest.approx(rows[3].nats)
    assert sum(bits(term, 192) for term in terms) == pytest.approx(view.bpd)
    np.testing.assert_allclose(view.sums(), np.cumsum(LOG_DETS))


def test_the_player_ends_where_it_should():
    player = StagePlayer()
    player._from, player._to, player._speed = 2.0, 10.0, 4.0
    assert (player.place_after(1.0), player.place_after(9.0)) == (6.0, 10.0)
    player._from, player._to = 2.0, 0.0
    assert (player.place_after(0.25), player.place_after(9.0)) == (1.0, 0.0)


# -- what is asked -------------------------------------------------------------------------------------------------------


def test_each_picture_is_asked_for_once_and_scrubbing_asks_nothing(workspace, client, facet, qtbot):
    (request,) = client.sent(EncodeLayers)
    assert np.array_equal(request.picture, workspace.controller.selected().picture)
    assert facet.link.view.complete and not facet.busy
    for key in (Qt.Key.Key_Right, Qt.Key.Key_End, Qt.Key.Key_PageUp, Qt.Key.Key_Home):
        qtbot.keyClick(facet.panel.scrubber.track, key)
    assert not any(isinstance(entry.request, EncodeLayers) for entry in client.asked)
    assert len(client.sent(EncodeLayers)) == 1
    workspace.acts.select(2)
    client.run()
    assert len(client.sent(EncodeLayers)) == 2
    workspace.engine_restarted()
    client.run()
    assert len(client.sent(EncodeLayers)) == 3


def test_the_other_way_asks_for_the_z_itself(workspace, client, facet, qtbot):
    panel = facet.panel
    qtbot.mouseClick(panel.way.button("decode"), LEFT)
    (request,) = client.sent(DecodeLayers)
    assert np.array_equal(request.z, workspace.controller.selected().z)
    assert own(workspace).way == "decode" and facet.busy
    client.run()
    assert panel.note.isVisibleTo(panel) and facet.link.view.complete
    workspace.history.undo()
    client.run()
    assert panel.way.current() == "encode" and not panel.note.isVisibleTo(panel)


def test_until_the_new_stages_come_the_older_ones_stand(workspace, client, facet):
    workspace.acts.select(3)
    view = facet.link.view
    assert all(view.fresh) and facet.busy
    entry = next(entry for entry in client.asked if isinstance(entry.request, EncodeLayers))
    parts = list(client.work(entry.request))

    def answer(number):
        data, arrays, done = parts[number]
        entry.answer(SimpleNamespace(data=data, arrays=arrays, done=done))

    answer(0)
    assert not any(view.fresh) and all(picture is not None for picture in view.pictures) and view.bpd is not None
    answer(1)
    assert sum(view.fresh) == 6 and not view.complete


def test_nothing_is_followed_while_another_view_is_in_front(workspace, client, facet):
    workspace.acts.show_facet("samples")
    workspace.acts.select(5)
    client.run()
    assert len(client.sent(EncodeLayers)) == 1
    workspace.acts.show_facet("layers")
    workspace.acts.show_facet("samples")  # gone before it has come
    assert not any(isinstance(entry.request, EncodeLayers) for entry in client.asked)
    workspace.acts.show_facet("layers")
    client.run()
    assert facet.link.view.complete and not facet.link.stopped


# -- scrubbing -----------------------------------------------------------------------------------------------------------


def test_a_drag_is_one_act_and_shows_that_stage_at_once(workspace, facet, qtbot):
    track, panel = facet.panel.scrubber.track, facet.panel
    y = track.height() // 2
    qtbot.mousePress(track, LEFT, pos=QPoint(round(track.position_x(0.2)), y))
    for share in (0.4, 0.6, 5 / (COUNT - 1)):
        qtbot.mouseMove(track, QPoint(round(track.position_x(share)), y))
    qtbot.mouseRelease(track, LEFT, pos=QPoint(round(track.position_x(5 / (COUNT - 1))), y))
    assert own(workspace).stage == 5
    assert panel.check.value.text() == "the same stages"
    assert panel.held_out.value.text() == "3.00 (1.10 to 4.90)"  # from the card
    assert panel.stage._before[0, 0, 0] == 50
    assert (panel.name.text(), panel.place.text()) == ("Coupling", "level 1, step 1 of 2")
    assert panel.range.text() == "black −6.5, white 2"
    assert "log-det +40.0 nats" in track.accessibleDescription()
    workspace.history.undo()
    assert own(workspace).stage == 0 and panel.stage._before[0, 0, 0] == 0


def test_keys_step_by_layer_and_by_step(workspace, facet, qtbot):
    track = facet.panel.scrubber.track
    assert track.hasFocus()
    for key, stage in ((Qt.Key.Key_Right, 1), (Qt.Key.Key_Right, 2), (Qt.Key.Key_PageUp, 5), (Qt.Key.Key_End, COUNT - 1),
                       (Qt.Key.Key_Left, COUNT - 2), (Qt.Key.Key_Home, 0)):  # fmt: skip
        qtbot.keyClick(track, key)
        assert own(workspace).stage == stage
    # Wherever the focus is in the facet, unless what has it wants the key itself.
    qtbot.keyClick(facet.panel, Qt.Key.Key_Right)
    assert own(workspace).stage == 1


def test_a_click_on_a_bar_jumps_and_its_tooltip_tells(workspace, facet, qtbot):
    bars = facet.panel.scrubber.bars
    qtbot.mouseClick(bars, LEFT, pos=QPoint(round(bars.x_of(9)), bars.height() // 2))
    assert own(workspace).stage == 9
    lines = bars.tip(9).split("\n")
    assert lines[0] == "Split: half of it leaves, level 1"
    assert lines[1] == f"log-det +60.0 nats: {signed(-60 / 192 / math.log(2), 3)} bits per dimension"
    assert "ε = (h − μ)" in lines[-1]
    assert bars.tip(99) == "" and bars.stage_at(-50) == 0 and bars.stage_at(1e6) == COUNT - 1


def test_bars_stand_above_their_place_on_the_slider(qtbot):
    scrubber = Scrubber()
    qtbot.addWidget(scrubber)
    scrubber.resize(700, 140)
    scrubber.show_view(filled())
    scrubber.show()
    for stage in (0, 4, COUNT - 1):
        assert scrubber.bars.x_of(stage) == pytest.approx(scrubber.track.position_x(stage / (COUNT - 1)), abs=0.5)
        assert scrubber.bars.stage_at(scrubber.bars.x_of(stage)) == stage


def test_space_plays_to_the_noise_and_stops_as_one_act(workspace, facet, qtbot):
    track, panel = facet.panel.scrubber.track, facet.panel
    qtbot.keyClick(track, Qt.Key.Key_Space)
    assert facet.player.playing and facet.busy and panel.play.accessibleName() == "Stay here"
    qtbot.waitUntil(lambda: facet.panel._at > 1.2, timeout=15_000)
    assert own(workspace).stage == 0  # playing is no state
    assert panel.stage._after is not None
    qtbot.mouseClick(panel.play, LEFT)
    stage = own(workspace).stage
    assert stage >= 1 and not facet.busy and panel._at == stage
    workspace.history.undo()
    assert own(workspace).stage == 0


def test_playing_ends_at_the_noise_and_goes_back_from_a_z(workspace, client, facet, qtbot):
    facet._play_to(COUNT - 1.0)
    facet._stay()
    assert own(workspace).stage == COUNT - 1
    facet.change(replace(facet.state, way="decode"), "way")
    client.run()
    facet.toggle_play()
    assert facet.player.place_after(0) == COUNT - 1 and facet.player.place_after(100) == 0
    workspace.acts.show_facet("samples")
    assert not facet.player.playing


# -- terms ---------------------------------------------------------------------------------------------------------------


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


# -- against the prior ---------------------------------------------------------------------------------------------------


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
        tiles = [plots.tile(index) for index in range(3)]
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


# -- empty places and failures -------------------------------------------------------------------------------------------


def test_an_empty_subject_says_what_goes_here_and_offers_the_act(workspace, client, facet, qtbot):
    panel, choose = facet.panel, facet._choose
    workspace.acts.select(-1)
    assert panel.pages.currentWidget() is panel.empty and "Select a sample" in panel.empty.label.text()
    qtbot.mouseClick(choose, LEFT)
    client.run()
    assert workspace.history.state.selected == 0 and panel.pages.currentIndex() == 0
    workspace.acts.set_subject("B")
    assert "picture in B" in panel.empty.label.text() and choose.text() == "Choose a picture…"
    workspace.acts.set_subject("walk")
    assert "A and B" in panel.empty.label.text()
    qtbot.mouseClick(choose, LEFT)
    client.run()
    assert panel.pages.currentIndex() == 0 and not workspace.history.state.a.empty
    assert np.array_equal(client.sent(EncodeLayers)[-1].picture, workspace.controller.frame().picture)


def test_a_failure_stands_where_it_happened_and_passes(workspace, client, facet):
    client.fail = EncodeLayers
    workspace.acts.select(4)
    client.run()
    panel = facet.panel
    assert panel.empty.label.text() == "It could not be computed." and panel.pages.currentWidget() is panel.empty
    assert not facet._choose.isVisibleTo(panel) and not facet.busy
    assert not panel.spinner.isVisibleTo(panel)
    client.fail = None
    workspace.acts.select(1)
    client.run()
    assert panel.pages.currentIndex() == 0 and facet.link.view.complete


def test_what_takes_long_can_be_ended_and_gone_on_with(workspace, client, facet, qtbot, monkeypatch):
    from app.explorer.facets.layers import facet as module

    monkeypatch.setattr(module, "SPINNER_MS", 20)
    monkeypatch.setattr(module, "CANCEL_MS", 700)
    panel = facet.panel
    workspace.acts.select(6)
    assert not panel.stop.isVisibleTo(panel)
    qtbot.waitUntil(lambda: panel.spinner.isVisibleTo(panel), timeout=15_000)
    qtbot.waitUntil(lambda: panel.stop.isVisibleTo(panel), timeout=15_000)
    qtbot.mouseClick(panel.stop, LEFT)
    assert not facet.busy and panel.stop.text() == "Go on" and panel.status.text() == "Stopped"
    assert not any(isinstance(entry.request, EncodeLayers) for entry in client.asked)
    qtbot.mouseClick(panel.stop, LEFT)
    qtbot.waitUntil(lambda: panel.spinner.isVisibleTo(panel), timeout=15_000)
    client.run()
    assert facet.link.view.complete
    assert not any(part.isVisibleTo(panel) for part in (panel.spinner, panel.status, panel.stop))


def test_a_walk_that_moves_is_followed_without_starving(workspace, client, facet):
    workspace.acts.set_subject("walk")
    facet._fill()
    client.run()
    before = len(client.sent(EncodeLayers))
    for t in (0.2, 0.3, 0.4, 0.6):
        workspace.acts.set_position(t)
        for entry in [entry for entry in client.asked if not isinstance(entry.request, EncodeLayers)]:
            if entry in client.asked:
                client.answer(entry)
    # One is on its way, and only the newest waits behind it.
    assert sum(isinstance(entry.request, EncodeLayers) for entry in client.asked) == 1
    client.run()
    assert len(client.sent(EncodeLayers)) == before + 2
    assert np.array_equal(client.sent(EncodeLayers)[-1].picture, workspace.controller.frame().picture)


def test_whole_pixels_are_shown_when_the_person_says_so(workspace, facet):
    assert facet.panel.stage._smooth
    workspace.toggle_pixels()
    assert not facet.panel.stage._smooth


def test_a_model_with_fewer_layers_shows_its_last(workspace, facet):
    facet.change(replace(facet.state, stage=4000), "far")
    assert facet.panel.name.text() == "Whitening by the prior" and facet.panel._at == COUNT - 1


def test_it_paints_in_both_themes_and_at_every_size(qtbot):
    panel = Panel()
    qtbot.addWidget(panel)
    itself = np.zeros((SIZE, SIZE, 3), np.uint8)
    seen = set()
    for name in ("dark", "light"):
        theme.choose(name)
        for part in ("layers", "prior"):
            for size in ((1000, 760), (800, 560), (420, 300)):
                panel.resize(*size)
                panel.show_view(filled(), part, "encode", -1, itself, "", None)
                panel.show_position(7.4)
                image = panel.grab().toImage()
                seen.add(bytes(image.constBits()))
    assert len(seen) == 12
    panel.show_view(LayersView(), "layers", "encode", -1, itself, "", None)
    assert not panel.grab().isNull()


# -- the real engine -----------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def engine(qapp):
    from app.engine.client import EngineClient

    made = EngineClient(environment={"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"})
    made.start()
    assert made.wait_until_idle(60_000), made.log
    yield made
    made.stop()


@pytest.mark.parametrize("model", ["fashion", "fashion-nice"])
def test_on_the_real_engine_the_sum_is_the_inspectors_figure(engine, model, qtbot, tmp_path):
    from PySide6.QtWidgets import QWidget

    from app import assets
    from app.explorer.model import open_model
    from app.explorer.workspace import create
    from app.settings import Settings
    from app.workspace import Context

    if model not in assets.model_names():
        pytest.skip(f"the bundled model {model} is not in this copy")
    known = open_model(model)
    made = create(Context(engine, Settings(tmp_path / "settings.json"), lambda *_, **__: None))
    window = QWidget()
    qtbot.addWidget(window)
    made.setParent(window)
    made.canvas().setParent(window)
    made.canvas().resize(1000, 700)
    made.inspector().setParent(window)
    made.topbar().setParent(window)
    made.history.reset(ExplorerState(model=model, seed=known.default_seed, selected=1, temperature=0.7, facet="layers"))
    controller = made.controller

    def rest():
        qtbot.waitUntil(lambda: controller.started and not controller.busy and engine.is_idle(), timeout=60_000)

    rest()
    facet = controller.facets["layers"]
    view = facet.link.view
    assert view.complete and view.difference < 1e-6
    assert view.bpd == pytest.approx(controller.shown().figures.bpd, abs=1e-3)
    np.testing.assert_array_equal(view.pictures[0], controller.selected().picture)
    assert sum(view.log_dets) + sum(view.prior_terms) == pytest.approx(view.log_prob, abs=1e-6)
    facet.change(replace(facet.state, way="decode"), "way")
    rest()
    z = controller.selected().z
    assert view.whole.shell[0] == pytest.approx(float(np.linalg.norm(z)), rel=1e-5)
    assert np.abs(view.pictures[0].astype(int) - controller.selected().picture).max() <= 1
    made.hidden()
