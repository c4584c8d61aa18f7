"""Sizes, names, the order of keys, and the place without a model."""

from __future__ import annotations

import pytest
from PySide6.QtCore import Qt

from flow_explorer.explorer.caption import Caption
from tests.app.explorer.workspace.case import fill


def test_whole_pixels(workspace, qtbot):
    qtbot.mouseClick(workspace.inspector().whole_pixels, Qt.MouseButton.LeftButton)
    assert not workspace.grid.smooth and workspace.context.settings.get("explorer.whole_pixels") is True
    workspace.toggle_pixels()
    assert workspace.grid.smooth and not workspace.inspector().whole_pixels.isChecked()


@pytest.mark.parametrize("size", [(906, 640), (1066, 820), (2180, 1360), (650, 560)])
def test_nothing_is_cut_or_overlaps(workspace, bundle, client, size):
    fill(workspace, bundle, client)
    canvas = workspace.canvas()
    canvas.setParent(None)
    canvas.resize(*size)
    canvas.show()
    parts = [canvas.grid, canvas.controls, *canvas.slots.values(), canvas.walk]
    for part in parts:
        assert canvas.rect().contains(part.geometry()), part
    for index, part in enumerate(parts):
        for other in parts[index + 1 :]:
            assert not part.geometry().intersects(other.geometry()), (part, other)
    for slot in canvas.slots.values():
        inner = [slot.seen, slot.back, slot.stats]
        for part in inner:
            assert slot.rect().contains(part.geometry())
        assert not slot.seen.geometry().intersects(slot.back.geometry())
        assert not slot.back.geometry().intersects(slot.stats.geometry())
    canvas.setParent(workspace.window_for_test)


def test_every_control_has_a_name(workspace, bundle, client):
    fill(workspace, bundle, client)
    from PySide6.QtWidgets import QAbstractButton, QWidget

    roots = [workspace.canvas(), workspace.inspector(), workspace.topbar()]
    for root in roots:
        for widget in [root, *root.findChildren(QWidget)]:
            if not widget.focusPolicy() & Qt.FocusPolicy.TabFocus or not widget.isVisibleTo(root):
                continue
            if widget.focusProxy() is not None or widget.objectName().startswith("qt_"):
                continue
            text = widget.text() if isinstance(widget, QAbstractButton) else ""
            assert widget.accessibleName() or text, widget


def test_tab_order(workspace, bundle, client):
    fill(workspace, bundle, client)
    canvas = workspace.canvas()
    order, widget = [], canvas.grid
    for _ in range(200):
        order.append(widget)
        widget = widget.nextInFocusChain()
        if widget is canvas.grid:
            break
    places = [order.index(part) for part in (canvas.grid, canvas.new_button, canvas.count, canvas.seed,
                                             canvas.slots["A"], canvas.slots["B"], canvas.walk.track)]
    assert places == sorted(places)


def test_without_a_model_the_canvas_says_so_and_offers_to_open_one(bundle, client, qtbot, tmp_path, make_checkpoint):
    from flow_explorer.explorer.workspace import create
    from flow_explorer.settings import Settings
    from flow_explorer.workspace import WorkspaceContext

    (bundle / "models" / "tiny.safetensors").unlink()
    made = create(WorkspaceContext(client, Settings(tmp_path / "settings.json")))
    for part in (made, made.inspector(), made.topbar(), made.canvas()):
        qtbot.addWidget(part)
    made.canvas().show()
    made.inspector().show()
    qtbot.waitUntil(lambda: made.controller.started)
    canvas = made.canvas()
    assert canvas.no_model.isVisible() and not canvas.grid.isVisible() and not client.asked and made.is_idle()
    assert "no model" in canvas.no_model.label.text() and not made.inspector().send_a.isVisible()
    made.controller.choose_model(str(make_checkpoint("mine")))
    client.run()
    assert not canvas.no_model.isVisible() and canvas.grid.isVisible()
    assert made.controller.page.view.complete


def test_a_caption_says_less_where_there_is_less_room(qtbot):
    caption = Caption()
    qtbot.addWidget(caption)
    caption.set_words("exact, 0 bytes differ", "exact")
    caption.resize(400, 20)
    assert caption.shown == caption.text() == "exact, 0 bytes differ"
    caption.resize(caption.fontMetrics().horizontalAdvance("exact") + 4, 20)
    assert caption.shown == "exact" and caption.text() == "exact, 0 bytes differ"
    caption.resize(caption.fontMetrics().horizontalAdvance("ex") + 12, 20)
    assert caption.shown.endswith("…")
