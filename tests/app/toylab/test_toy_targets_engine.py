"""A target that was drawn, trained on by the real engine."""

from __future__ import annotations

import numpy as np
import pytest
from PySide6.QtCore import QPoint, Qt

LEFT = Qt.MouseButton.LeftButton


def test_what_is_drawn_is_trained_on(qtbot, lab):
    window = lab.canvas().window()
    lab.inspector().density.kind_chosen.emit("draw")
    sheet = lab.targets.sheet()
    area = sheet.surface.area()
    # A bar in the upper left quarter alone: all points have x < 0 < y.
    first, last = (QPoint(round(area.x() + x * area.width()), round(area.y() + 0.25 * area.height())) for x in (0.12, 0.38))
    qtbot.mousePress(sheet.surface, LEFT, pos=first)
    qtbot.mouseMove(sheet.surface, last)
    qtbot.mouseRelease(sheet.surface, LEFT, pos=last)
    qtbot.mouseClick(sheet.use, LEFT)
    qtbot.waitUntil(window.is_idle, timeout=60_000)
    run = lab.controller.training
    data = run.arrays["data"]
    assert np.isfinite(data).all() and (data[:, 0] < 0.1).all() and (data[:, 1] > -0.1).all()
    truth = run.arrays["truth"]
    side = len(truth)
    row, column = np.unravel_index(truth.argmax(), truth.shape)
    assert row > side / 2 > column  # row 0 is the lowest
    before = run.entropy
    assert before is not None and run.known
    for _ in range(4):
        lab.controller.step()
    qtbot.waitUntil(lambda: lab.controller.training.step == 4, timeout=20_000)
    qtbot.waitUntil(window.is_idle, timeout=60_000)
    assert lab.controller.training.nll > before - 0.1 and lab.history.undo_label == "Drawing"
    lab.history.undo()
    qtbot.waitUntil(window.is_idle, timeout=60_000)
    assert lab.controller.state.target is None and lab.controller.training.entropy != before


def test_of_points_the_engine_knows_no_density(qtbot, lab, tmp_path):
    rng = np.random.default_rng(0)
    np.save(tmp_path / "cloud.npy", rng.normal(size=(500, 2)) * [1.0, 5.0] + [3.0, 0.0])
    lab.canvas().dropped.emit(str(tmp_path / "cloud.npy"))
    qtbot.waitUntil(lambda: lab.targets.sheet() is not None and lab.targets.sheet().use.isEnabled(), timeout=20_000)
    qtbot.mouseClick(lab.targets.sheet().use, LEFT)
    lab.controller.step()
    qtbot.waitUntil(lambda: lab.controller.training.step == 1, timeout=20_000)
    qtbot.waitUntil(lab.canvas().window().is_idle, timeout=60_000)
    run = lab.controller.training
    assert run.entropy is None and not run.known and np.isfinite(run.nll)
    assert np.abs(run.arrays["data"].std(0) - 1).max() < 0.15
    panel = lab.canvas().density
    panel.which.set_current("model")
    lab.canvas().draw()
    truth = panel.which.button("truth")
    assert truth.isEnabled() and truth.text() == "Estimate" and "no truth" in truth.toolTip()
    assert "truth" not in run.arrays and run.estimated_from == 500 and panel.caption.isHidden()
    qtbot.mouseClick(truth, LEFT)
    assert np.array_equal(panel.image.image, run.arrays["estimate"])
    assert panel.caption.text() == "estimated from 500 points"
    assert panel.caption.isVisible() and run.entropy is None
    assert (run.arrays["estimate"].astype(float) ** 2).sum() * (2 * run.reach / 128) ** 2 == pytest.approx(1.0, abs=0.02)
    lab.history.undo()
    qtbot.waitUntil(lab.canvas().window().is_idle, timeout=60_000)
    lab.canvas().draw()
    assert truth.text() == "True" and panel.caption.isHidden()
