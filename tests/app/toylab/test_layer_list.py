"""The list of layers and the prior in the inspector: driven by mouse and keyboard, every act undone by its name."""

from __future__ import annotations

import numpy as np
import pytest
from PySide6.QtCore import QPoint, Qt

from flow_explorer.history import History
from flow_explorer.toylab.controller import ToyController
from flow_explorer.toylab.inspector import ToyInspector
from flow_explorer.toylab.layers import edits as layer_edits
from flow_explorer.toylab.layers import words as layer_words
from flow_explorer.toylab.layers.rows import ROW
from flow_explorer.toylab.panels.panels import PriorPanel
from flow_explorer.toylab.run import RunEntry
from flow_explorer.toylab.state import PRIORS, ToyState
from flowcore.plane.layers import KINDS, MAX_LAYERS, concerns, layers_of, own_layers
from flowcore.plane.prior_shapes import outline

LEFT = Qt.MouseButton.LeftButton


@pytest.fixture
def controller(silent):
    controller = ToyController(silent, History(ToyState(depth=4)))
    controller.start()
    return controller


@pytest.fixture
def panel(qtbot, controller):
    panel = ToyInspector()
    qtbot.addWidget(panel)
    panel.resize(300, 900)
    panel.setting_changed.connect(controller.set)
    panel.rested.connect(controller.seal)
    panel.layers_edited.connect(controller.edit_layers)
    controller.changed.connect(lambda: panel.show_state(controller.state, False))
    panel.show_state(controller.state, False)
    panel.layers.set_unfolded(True)
    panel.show()
    qtbot.waitExposed(panel)
    return panel


def kinds(controller) -> list[str]:
    specs = controller.state.specs
    return [spec.kind + (f":{spec.copies}" if spec.copies else "") + ("*" if spec.frozen else "") for spec in specs]


def row(place: int) -> QPoint:
    return QPoint(60, place * ROW + ROW // 2)


def undo(controller) -> str:
    label = controller.history.undo_label
    controller.history.undo()
    return label


def test_it_is_folded_at_first_and_says_what_each_row_is(qtbot):
    panel = ToyInspector()
    qtbot.addWidget(panel)
    panel.show_state(ToyState(depth=4), False)
    assert not panel.layers.is_unfolded()
    assert panel.layers.rows.words(1) == "2: Affine coupling, copies y"
    assert panel.layers.warning.isHidden() and not panel.layers.own.isEnabled()


def test_every_act_begins_a_run_is_named_and_can_be_undone(qtbot, panel, controller, silent):
    layers, before = panel.layers, kinds(controller)
    qtbot.mouseClick(layers.rows, LEFT, pos=row(1))
    acts = [
        (lambda: qtbot.mouseClick(layers.flip, LEFT), "Copy the other half", ["affine:x", "affine:x", "affine:x", "affine:y"]),
        (lambda: qtbot.mouseClick(layers.freeze, LEFT), "Freeze a layer", ["affine:x", "affine:y*", "affine:x", "affine:y"]),
        (lambda: qtbot.mouseClick(layers.up, LEFT), "Move a layer", ["affine:y", "affine:x", "affine:x", "affine:y"]),
        (lambda: qtbot.mouseClick(layers.down, LEFT), "Move a layer", ["affine:x", "affine:x", "affine:y", "affine:y"]),
        (lambda: qtbot.mouseClick(layers.remove, LEFT), "Remove a layer", ["affine:x", "affine:x", "affine:y"]),
        (lambda: layers.menu.actions()[KINDS.index("rotation")].trigger(), "Add a layer",
         ["affine:x", "affine:y", "rotation", "affine:x", "affine:y"]),
    ]  # fmt: skip
    for act, label, expected in acts:
        runs = silent.last.run
        act()
        assert kinds(controller) == expected
        assert silent.last.run > runs and 1 in silent.last.kept_from
        assert [spec["kind"] for spec in silent.last.entries[0]["layers"]] == [word.split(":")[0] for word in expected]
        assert undo(controller) == label and kinds(controller) == before and silent.last.run == 1
        layers.rows._choose(1)
    controller.history.redo()
    assert kinds(controller)[2] == "rotation"
    qtbot.mouseClick(layers.own, LEFT)
    assert controller.state.layers is None and controller.history.undo_label == "The flow's own layers"


def test_the_keyboard_does_it_all(qtbot, panel, controller):
    rows = panel.layers.rows
    rows.setFocus()
    qtbot.keyClick(rows, Qt.Key.Key_Down)
    assert rows.accessibleDescription().startswith("2: ")
    qtbot.keyClick(rows, Qt.Key.Key_Up, Qt.KeyboardModifier.AltModifier)
    assert kinds(controller) == ["affine:y", "affine:x", "affine:x", "affine:y"]
    qtbot.keyClick(rows, Qt.Key.Key_End)
    qtbot.keyClick(rows, Qt.Key.Key_Delete)
    assert kinds(controller) == ["affine:y", "affine:x", "affine:x"] and rows.accessibleDescription().startswith("3: ")
    qtbot.keyClick(rows, Qt.Key.Key_Home)
    qtbot.keyClick(rows, Qt.Key.Key_Up, Qt.KeyboardModifier.AltModifier)  # nowhere to go
    for _ in range(3):
        qtbot.keyClick(rows, Qt.Key.Key_Backspace)
    assert kinds(controller) == ["affine:x"]  # the last one stays
    assert controller.history.length == 4


def test_a_row_is_dragged_to_another_place_and_escape_lets_it_be(qtbot, panel, controller):
    rows = panel.layers.rows
    first = controller.state.specs[0].id
    qtbot.mousePress(rows, LEFT, pos=row(0))
    send_move(rows, QPoint(60, 3 * ROW - 2))
    qtbot.mouseRelease(rows, LEFT, pos=QPoint(60, 3 * ROW - 2))
    assert [spec.id for spec in controller.state.specs].index(first) == 2
    assert panel.layers._current == 2  # it stays chosen
    length = controller.history.length
    qtbot.mousePress(rows, LEFT, pos=row(2))
    send_move(rows, QPoint(60, 1))
    qtbot.keyClick(rows, Qt.Key.Key_Escape)
    qtbot.mouseRelease(rows, LEFT, pos=QPoint(60, 1))
    assert controller.history.length == length


def send_move(widget, place: QPoint) -> None:
    """A move with the button held, which the test library's own does not have."""
    from PySide6.QtCore import QEvent, QPointF
    from PySide6.QtGui import QMouseEvent
    from PySide6.QtWidgets import QApplication

    at = QPointF(place)
    none = Qt.MouseButton.NoButton, LEFT, Qt.KeyboardModifier.NoModifier
    event = QMouseEvent(QEvent.Type.MouseMove, at, widget.mapToGlobal(at), *none)
    QApplication.sendEvent(widget, event)


def test_warnings_and_limits(qtbot, panel, controller):
    layers = panel.layers
    layers.rows._choose(1)
    qtbot.mouseClick(layers.flip, LEFT)
    layers.rows._choose(3)
    qtbot.mouseClick(layers.flip, LEFT)
    assert "copies x" in layers.warning.text() and not layers.warning.isHidden()
    layers.menu.actions()[KINDS.index("swap")].trigger()
    assert not layers.freeze.isEnabled() and not layers.flip.isEnabled()  # a swap has neither weights nor halves
    controller.edit_layers(layers_of([{"kind": "swap"}] * MAX_LAYERS), "Many")
    assert not layers.add_button.isEnabled() and layer_edits.added(controller.state.layers, "lu", 0) == controller.state.layers
    controller.edit_layers(layers_of([{"kind": "lu"}]), "One")
    assert not layers.remove.isEnabled() and not layers.up.isEnabled() and not layers.down.isEnabled()


def test_what_has_no_list_says_so_and_another_flow_is_its_own_again(panel, controller):
    controller.edit_layers(layer_edits.removed(controller.state.specs, 0), "Remove a layer")
    assert panel.form.controls["depth"].isHidden() and "3, edited" in panel.layers.header.text()
    controller.set("flow", "continuous")
    assert panel.layers.area.isHidden() and "smooth" in panel.layers.note.text() and panel.layers.tools.isHidden()
    controller.set("flow", "glow")
    assert controller.state.layers is None and not panel.form.controls["depth"].isHidden() and not panel.layers.area.isHidden()
    controller.set("depth", 24)
    assert panel.layers.area.isHidden() and "72" in panel.layers.note.text()


def test_every_kind_and_warning_has_words():
    for kind in KINDS:
        assert layer_words.name(kind) and "\n" in layer_words.sentence(kind)
    lists = (own_layers("realnvp", 1), layers_of([{"kind": "lu"}]), layers_of([{"kind": "swap"}]))
    for code in {code for layers in lists for code in concerns(layers)} | {"direction-kept", "rigid", "y-kept"}:
        assert layer_words.concern(code).endswith(".")


def test_fast_edits_name_all_the_runs_whose_weights_may_be_kept(controller, silent):
    for place in (3, 2):
        controller.edit_layers(layer_edits.removed(controller.state.specs, place), "Remove a layer")
    assert silent.last.run == 3 and silent.last.kept_from == (2, 1)
    controller.set("width", 32)
    assert silent.last.kept_from == ()  # another width: nothing would fit
    controller.reset()
    assert silent.last.kept_from == ()


def test_the_prior_is_chosen_and_a_mixture_has_more_to_say(qtbot, panel, controller, silent):
    prior, components, learned = (panel.form.controls[name] for name in ("prior", "components", "learned"))
    assert components.isHidden() and learned.isHidden()
    prior.setCurrentIndex(list(PRIORS).index("mixture"))
    prior.activated.emit(list(PRIORS).index("mixture"))
    assert silent.last.entries[0]["prior"] == "mixture" and silent.last.run == 2
    assert not components.isHidden() and not learned.isHidden()
    qtbot.mouseClick(learned, LEFT)
    assert silent.last.entries[0]["learned"] is True and controller.history.undo_label == "Learned prior"
    for value in (5.0, 4.0, 3.0):
        components.value_changed.emit(value)
    components.editing_finished.emit()
    assert silent.last.entries[0]["components"] == 3 and controller.history.undo_label == "Gaussians of the prior"
    controller.history.undo()  # a drag is one act
    assert controller.state.components == 8 and components.value() == 8
    controller.set("flow", "continuous")
    assert learned.isHidden() and not components.isHidden()


def test_the_priors_shape_is_drawn_and_follows_what_is_learned(qtbot):
    panel = PriorPanel()
    qtbot.addWidget(panel)

    def lines() -> np.ndarray:
        return np.array([[(p.x(), p.y()) for p in line.toList()] for line in panel.rings._lines])

    for kind in PRIORS:
        panel.show_prior(kind, 5)
        assert np.allclose(lines(), outline(kind, 5))
    panel.show_prior("mixture", 5)
    learned, plain = RunEntry(1), RunEntry(2)
    moved = outline("mixture", 5) + 1.0
    learned.put("outline", moved)
    panel.show_run(learned)
    assert np.allclose(lines(), moved, atol=1e-5)
    panel.show_run(plain)
    assert np.allclose(lines(), outline("mixture", 5))


# -- with the real engine -------------------------------------------------------------------------------------------


def at_rest(qtbot, lab):
    qtbot.waitUntil(lab.canvas().window().is_idle, timeout=30_000)


def test_an_edit_keeps_the_weights_in_the_window_and_undo_comes_back(qtbot, lab):
    for _ in range(4):
        lab.controller.step()
    at_rest(qtbot, lab)
    before = lab.controller.training.arrays["samples"].copy()
    panel = lab.inspector().layers
    panel.set_unfolded(True)
    panel.rows._choose(1)
    panel.freeze.click()
    at_rest(qtbot, lab)
    run = lab.controller.training
    assert run.step == 0 and np.allclose(run.arrays["samples"], before, atol=1e-4)  # all layers kept: the very same model
    assert "edited" in lab.topbar().texts[1]
    panel.menu.actions()[KINDS.index("actnorm")].trigger()
    at_rest(qtbot, lab)
    assert len(lab.controller.training.arrays["layers"]) == 6 and lab.canvas().strip.count() == 5
    lab.history.undo()
    lab.history.undo()
    at_rest(qtbot, lab)
    assert lab.controller.training.step == 4 and np.array_equal(lab.controller.training.arrays["samples"], before)


@pytest.mark.parametrize(
    "changes", [{"flow": "continuous", "prior": "ring"}, {"prior": "mixture", "components": 3, "learned": True}]
)
def test_new_flows_and_priors_train_in_the_window(qtbot, lab, changes):
    for name, value in changes.items():
        lab.controller.set(name, value)
    lab.controller.step()
    at_rest(qtbot, lab)
    lab.controller.step()
    at_rest(qtbot, lab)
    run = lab.controller.training
    assert run.step == 2 and run.arrays["heat"].shape == (256, 256) and run.arrays["layers"].shape[0] == 5
    assert all(np.isfinite(array).all() for array in run.arrays.values())
    assert ("outline" in run.arrays) == ("learned" in changes)
    assert run.nll is not None and np.isfinite(run.nll)
