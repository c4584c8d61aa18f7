"""From pile A to pile B in the window: the real widgets on the stand-in engine."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import QEvent, QMimeData, QPoint, QPointF, Qt, QUrl
from PySide6.QtGui import QDragEnterEvent, QDropEvent, QMouseEvent, QWheelEvent
from PySide6.QtWidgets import QApplication

from flow_explorer.engine.requests.explorer import OpenModel
from flow_explorer.engine.requests.piles import (
    FitPiles,
    PilePart,
    PilesFitted,
    PileStart,
    ReadPile,
    SaveTranslations,
    TranslatedPart,
    TranslatePage,
    TranslatePicture,
    Translation,
    TranslationDraft,
    TranslationsSaved,
)
from flow_explorer.explorer.facets.piles.state import FURTHER, State
from flowcore.model.labels import single
from flowcore.pictures.images import save_png

LEFT = Qt.MouseButton.LeftButton
SIZE = 8
COUNT = 40


def picture(which: int, index: int) -> np.ndarray:
    return np.full((SIZE, SIZE, 3), (40 + index, 60 * which, 200), np.uint8)


def urls(*paths) -> QMimeData:
    mime = QMimeData()
    mime.setUrls([QUrl.fromLocalFile(str(path)) for path in paths])
    return mime


def drop(widget, mime) -> bool:
    """Drag something over a widget and let it go; whether it was taken."""
    place, copy, none = widget.rect().center(), Qt.DropAction.CopyAction, Qt.KeyboardModifier.NoModifier
    enter = QDragEnterEvent(place, copy, mime, LEFT, none)
    QApplication.sendEvent(widget, enter)
    if not enter.isAccepted():
        return False
    event = QDropEvent(QPointF(place), copy, mime, LEFT, none)
    QApplication.sendEvent(widget, event)
    return event.isAccepted()


@pytest.fixture
def folders(tmp_path) -> list[Path]:
    made = [tmp_path / "cats", tmp_path / "dogs"]
    for folder in made:
        folder.mkdir()
    return made


@pytest.fixture
def client(client):
    """The stand-in engine that also knows piles: a translation adds 20 · strength to the second channel."""
    plain, numbers = client.work, iter(range(1, 1000))
    client.left_out = (("broken.png", "broken.png is damaged: make it again."),)

    def made(request, index: int) -> np.ndarray:
        which = 1 if request.back else 0
        return translated(picture(which, index), request.strength)

    def translated(pixels: np.ndarray, strength: float) -> np.ndarray:
        return np.clip(pixels + np.array([0, 20 * strength, 0]), 0, 255).astype(np.uint8)

    def work(request):
        if isinstance(request, ReadPile):
            which = 1 if "dogs" in str(request.source[1]) else 0
            pictures = np.stack([picture(which, index) for index in range(COUNT)])
            names = tuple(f"{index}.png" for index in range(COUNT))
            yield PileStart(0, pictures[:30], names=names, total=50, number=next(numbers), left_out=client.left_out)
            yield PilePart(30, pictures[30:], done=True)
        elif isinstance(request, FitPiles):
            yield PilesFitted(COUNT, done=True)
        elif isinstance(request, TranslatePage):
            for start in range(0, len(request.indices), 4):
                chosen = request.indices[start : start + 4]
                done = start + len(chosen) == len(request.indices)
                failed = tuple(index for index in chosen if index == 7 and request.strength > 1.9)
                yield TranslatedPart(chosen, np.stack([made(request, index) for index in chosen]), failed, done=done)
        elif isinstance(request, TranslatePicture):
            after = translated(request.picture, request.strength)
            if request.index >= 0:
                yield TranslationDraft(after)
            label, z = single(1) if client.classes else (), after.astype(np.float32).ravel() / 100
            yield Translation(after, z, label, 2e-4, False, 3.0, 3.0 + request.strength, done=True)
        elif isinstance(request, SaveTranslations):
            yield TranslationsSaved(len(request.files), ("7.png",), done=True)
        else:
            yield from plain(request)

    client.work = work
    return client


@pytest.fixture
def piles(workspace, client, qtbot):
    """The facet in front, with nothing in it."""
    workspace.acts.show_facet("piles")
    client.run()
    facet = workspace.controller.facets["piles"]
    qtbot.waitUntil(lambda: facet.widget().isVisible() and facet.widget().width() > 300)
    return facet


def settle(facet, client, qtbot) -> None:
    """Answer everything, also what is asked for after a pause."""
    client.run()
    qtbot.waitUntil(lambda: (client.run(), not facet.busy)[1])


def waiting(client, kind) -> list:
    """What was asked of a kind, and not answered yet."""
    return [entry for entry in client.asked if isinstance(entry.request, kind)]


@pytest.fixture
def full(piles, folders, client, qtbot):
    """Two folders were dropped, and everything has come."""
    for which, folder in zip("AB", folders, strict=True):
        assert drop(piles.widget().cards[which], urls(folder))
        settle(piles, client, qtbot)
    return piles


def pixels(view, index: int) -> np.ndarray:
    return view.sheet._translation(index)


def test_it_says_what_goes_here_then_shows_both_piles_and_every_pair(piles, folders, client, qtbot):
    view = piles.widget()
    assert "Give both piles pictures" in view.empty.label.text() and view.pages.currentIndex() == 0
    assert not view.save.isEnabled() and piles.large() is None
    assert drop(view.cards["A"], urls(folders[0]))
    settle(piles, client, qtbot)
    assert view.empty.label.text() == "Pile B is empty: drop a folder of pictures on it." and not client.sent(FitPiles)
    assert drop(view.cards["B"], urls(folders[1]))
    settle(piles, client, qtbot)
    for which, name in (("A", "cats"), ("B", "dogs")):
        card = view.cards[which]
        assert card.title.text() == name and card.pages.currentWidget() is card.sheet
        assert card.sheet.shown()[0] == 0 and len(card.sheet.shown()) > 8
        assert card.left_out.text() == "40 · 1 left out" and "40 of 50" in card.left_out.accessibleDescription()
        qtbot.mouseClick(card.left_out, LEFT)
        assert "broken.png is damaged" in card.reasons.text() and card.pages.currentIndex() == 3
        qtbot.mouseClick(card.left_out, LEFT)
        assert card.pages.currentIndex() == 2
    (fit,) = client.sent(FitPiles)
    assert fit.method == "mean-shift" and fit.source == ("folder", str(folders[0])) and fit.names == ("cats", "dogs")
    assert view.pages.currentWidget() is view.sheet and view.save.isEnabled()
    for index in view.sheet.visible:
        assert pixels(view, index)[0, 0, 1] == 20 and view.sheet._original(index)[0, 0, 0] == 40 + index


def test_two_folders_at_once_fill_both_and_one_undo_takes_them_back(piles, workspace, folders, client, qtbot):
    workspace.drop(urls(*folders))
    settle(piles, client, qtbot)
    assert piles.state.a.name == "cats" and piles.state.b.name == "dogs" and piles.links.fit.ready
    workspace.history.undo()
    settle(piles, client, qtbot)
    assert piles.state == State() and piles.widget().pages.currentIndex() == 0
    workspace.history.redo()
    settle(piles, client, qtbot)
    assert piles.links.fit.ready
    qtbot.mouseClick(piles.widget().cards["A"].clear, LEFT)
    assert piles.state.a.empty and not piles.state.b.empty


def test_a_strength_is_one_act_and_fits_nothing_anew(full, workspace, client, qtbot):
    panel, view = full.inspector_part(), full.widget()
    before, fits = workspace.history.length, len(client.sent(FitPiles))
    track = panel.strength.track
    for _ in range(4):
        qtbot.keyClick(track, Qt.Key.Key_Right, Qt.KeyboardModifier.ShiftModifier)
    settle(full, client, qtbot)
    assert full.state.strength == pytest.approx(1.4) and workspace.history.length == before + 1
    assert pixels(view, 0)[0, 0, 1] == 28 and len(client.sent(FitPiles)) == fits
    assert client.sent(TranslatePage)[-1].strength == pytest.approx(1.4)
    panel.rested.emit()
    qtbot.mouseClick(panel.strength.reset_button, LEFT)
    settle(full, client, qtbot)
    assert full.state.strength == 1.0 and pixels(view, 0)[0, 0, 1] == 20
    workspace.history.undo()
    assert full.state.strength == pytest.approx(1.4)


def test_an_older_strength_never_takes_the_newer_ones_place(full, client):
    full.set_strength(0.5)
    older = waiting(client, TranslatePage)
    full.set_strength(2.0)
    newer = [entry for entry in waiting(client, TranslatePage) if entry not in older]
    for entry in newer + older:
        client.answer(entry)
    assert full.links.page.pictures[0][0, 0, 1] == 40 and not full.links.page.busy


def test_methods_and_direction(full, client, qtbot):
    panel, view = full.inspector_part(), full.widget()
    assert not panel.methods.button("conditional").isVisibleTo(panel) and not panel.methods.button("pair").isVisibleTo(panel)
    assert all(panel.methods.button(key).accessibleDescription() for key in ("mean-shift", "shrunk-shift", "transport"))
    qtbot.mouseClick(panel.methods.button("transport"), LEFT)
    settle(full, client, qtbot)
    assert client.sent(FitPiles)[-1].method == "transport" and full.links.fit.ready
    qtbot.mouseClick(panel.direction.button("ba"), LEFT)
    settle(full, client, qtbot)
    fit = client.sent(FitPiles)[-1]
    assert fit.back and "dogs" in fit.source[1] and fit.names == ("dogs", "cats")
    assert view.sheet._original(0)[0, 0, 1] == 60 and pixels(view, 0)[0, 0, 1] == 80


def test_a_pair_is_selected_by_mouse_and_keys_and_shown_large_with_its_proof(full, workspace, client, qtbot):
    view = full.widget()
    above, below = view.sheet.pair(3)
    qtbot.mouseClick(view.sheet, LEFT, pos=below.center().toPoint())
    settle(full, client, qtbot)
    assert full.state.selected == 3 and view.pair.title.text() == "3.png"
    assert view.pair.cycle.value.text() == "0.0002 of the range" and view.pair.bits.value.text() == "3.00 → 4.00 bpd"
    np.testing.assert_array_equal(view.pair.original.array(), picture(0, 3))
    large = workspace.controller.large()
    assert large.z is not None and large.name == "3.png" and (large.z * 100).round()[1] == 20
    np.testing.assert_array_equal(workspace.inspector().picture.array(), large.picture)
    assert workspace.inspector().bpd.value.text() == "4.00"
    qtbot.keyClick(view.sheet, Qt.Key.Key_Right)
    assert full.state.selected == 4
    qtbot.keyClick(view.sheet, Qt.Key.Key_End)
    settle(full, client, qtbot)
    assert full.state.selected == COUNT - 1 and COUNT - 1 in view.sheet.visible and pixels(view, COUNT - 1) is not None
    qtbot.keyClick(view.sheet, Qt.Key.Key_Home)
    assert full.state.selected == 0 and 0 in view.sheet.visible
    qtbot.mouseClick(workspace.inspector().send_a, LEFT)
    assert not workspace.history.state.a.empty and workspace.history.state.a.latent


def test_pages_are_turned_and_asked_for_as_they_are_seen(full, client, qtbot):
    view = full.widget()
    capacity = view.sheet.capacity()
    assert capacity < COUNT and view.place.text() == f"1 to {capacity}"
    qtbot.mouseClick(view.after, LEFT)
    settle(full, client, qtbot)
    assert view.sheet.page == 1 and set(client.sent(TranslatePage)[-1].indices) == set(view.sheet.visible)
    wheel = QWheelEvent(QPointF(9, 9), QPointF(9, 9), QPoint(), QPoint(0, 120), Qt.MouseButton.NoButton,
                        Qt.KeyboardModifier.NoModifier, Qt.ScrollPhase.NoScrollPhase, False)  # fmt: skip
    asked = len(client.sent(TranslatePage))
    QApplication.sendEvent(view.sheet, wheel)
    settle(full, client, qtbot)
    assert view.sheet.page == 0 and len(client.sent(TranslatePage)) == asked
    cells = [cell for index in view.sheet.visible for cell in view.sheet.pair(index)]
    assert all(view.sheet.rect().contains(cell.toAlignedRect()) for cell in cells)


def test_the_pair_under_the_pointer_is_looked_at(full, client, qtbot):
    view = full.widget()
    place = view.sheet.pair(5)[0].center()
    move = QMouseEvent(QEvent.Type.MouseMove, place, view.sheet.mapToGlobal(place), Qt.MouseButton.NoButton,
                       Qt.MouseButton.NoButton, Qt.KeyboardModifier.NoModifier)  # fmt: skip
    QApplication.sendEvent(view.sheet, move)
    qtbot.waitUntil(lambda: view.sheet.looked_at == 5)
    settle(full, client, qtbot)
    assert view.pair.title.text() == "5.png" and view.pair.cycle.value.text() == "0.0002 of the range"
    assert full.state.selected == 0 and full.large().name == "0.png"
    view.sheet.set_hovered(-1)
    assert view.pair.title.text() == "0.png"


def test_what_has_no_finite_counterpart_says_so(full, client, qtbot):
    full.set_strength(2.0)
    full.select(7)
    settle(full, client, qtbot)
    assert full.links.page.failed == {7} and "smaller one" in full.widget().pair.problem.text() and full.large() is None
    full.set_strength(1.0)
    settle(full, client, qtbot)
    assert not full.links.page.failed and full.large() is not None


def test_a_further_picture_is_translated_the_same_way(full, workspace, tmp_path, client, qtbot):
    view = full.widget()
    file = tmp_path / "mine.png"
    save_png(file, np.full((20, 24, 3), 100, np.uint8))
    drop(view.further, urls(tmp_path / "cats"))
    assert not full.state.further and drop(view.further, urls(file))
    settle(full, client, qtbot)
    assert full.state.selected == FURTHER and full.state.further in workspace.history.state.keys
    request = client.sent(TranslatePicture)[-1]
    assert request.index == -1 and request.picture.shape == (SIZE, SIZE, 3)
    assert view.pair.title.text() == "mine.png" and full.large().name == "mine.png"
    assert full.large().picture[0, 0].tolist() == [100, 120, 100]
    (tmp_path / "words.png").write_text("no picture at all")
    drop(view.further, urls(tmp_path / "words.png"))
    qtbot.mouseClick(view.further.clear, LEFT)
    assert full.state.selected == 0 and not full.state.further
    assert "words.png" in view.further.words.text()
    workspace.history.undo()
    settle(full, client, qtbot)
    assert full.large().name == "mine.png"


def test_a_sample_is_a_further_picture_too(full, workspace, client, qtbot):
    sample = workspace.controller.page.view.slots[2]
    assert drop(full.widget().further, workspace.transfers.mime(sample))
    settle(full, client, qtbot)
    np.testing.assert_array_equal(client.sent(TranslatePicture)[-1].picture, sample.picture)


def test_classes_take_the_place_of_folders(piles, workspace, kinds, client, qtbot):
    client.classes = 3
    workspace.controller.choose_model(str(kinds))
    settle(piles, client, qtbot)
    view, panel = piles.widget(), piles.inspector_part()
    for which, number in (("A", 0), ("B", 2)):
        actions = view.cards[which].of_class.menu().actions()
        assert [action.text() for action in actions] == ["cat", "dog", "owl"]
        actions[number].trigger()
    settle(piles, client, qtbot)
    assert [view.cards[which].title.text() for which in "AB"] == ["cat", "owl"]
    assert "40 " in view.cards["A"].left_out.text() or "40 samples" in view.cards["A"].note.text()
    fit = client.sent(FitPiles)[-1]
    assert fit.method == "conditional" and fit.source[:2] == ("class", 0) and fit.target[:2] == ("class", 2)
    assert panel.methods.button("conditional").isChecked() and full_label(piles) == ((1, 1.0),)
    workspace.controller.choose_model("tiny")
    client.run()
    assert "Give both piles pictures" in view.empty.label.text()


def full_label(facet):
    return facet.large().label


def test_saving_asks_before_it_replaces_anything(full, workspace, tmp_path, client, qtbot):
    view, out = full.widget(), tmp_path / "out"
    full.save_all(str(out))
    assert "There is no folder" in view.told.text() and not client.sent(SaveTranslations)
    out.mkdir()
    (out / "3.png").write_bytes(b"mine")
    full.save_all(str(out))
    assert view.told.text().startswith("1 file in") and view.replace.isVisibleTo(view) and not client.sent(SaveTranslations)
    qtbot.mouseClick(view.dismiss, LEFT)
    assert not view.told.isVisibleTo(view) and (out / "3.png").read_bytes() == b"mine"
    full.save_all(str(out))
    qtbot.mouseClick(view.replace, LEFT)
    (request,) = client.sent(SaveTranslations)
    assert request.replace and len(request.files) == COUNT and request.files[3] == "3.png" and request.strength == 1.0
    assert "cats" not in json.dumps(request.recipe) and request.recipe["kind"] == "picture"
    (entry,) = waiting(client, SaveTranslations)
    entry.progress(0.5, "20 of 40")
    assert view.saving.isVisibleTo(view) and "20 of 40" in view.saving.label.text() and full.busy
    client.run()
    assert "40 translations are saved" in view.told.text() and "7.png" in view.told.text() and not full.busy
    assert full.save_entries()[0][2] and "All translations" in full.save_entries()[0][0]


def test_saving_can_be_cancelled_and_a_failure_is_one_sentence(full, tmp_path, client, qtbot):
    view = full.widget()
    full.save_all(str(tmp_path / "cats"))
    (entry,) = waiting(client, SaveTranslations)
    qtbot.mouseClick(view.saving.cancel_button, LEFT)
    assert entry.id in client.cancelled and not view.saving.isVisibleTo(view) and not full.saving.view.busy
    client.fail = SaveTranslations
    full.save_all(str(tmp_path / "cats"))
    client.run()
    assert view.told.text() == "It could not be computed." and not view.replace.isVisibleTo(view)


def test_reading_and_fitting_show_progress_and_can_be_stopped(piles, folders, client, qtbot):
    view = piles.widget()
    drop(view.cards["A"], urls(folders[0]))
    (entry,) = waiting(client, ReadPile)
    entry.progress(0.25, "10 of 40")
    assert "10 of 40" in view.cards["A"].progress.label.text()
    qtbot.mouseClick(view.cards["A"].progress.cancel_button, LEFT)
    assert entry.id in client.cancelled and "stopped" in view.cards["A"].sentence.text() and not piles.busy
    qtbot.mouseClick(view.cards["A"].again, LEFT)
    settle(piles, client, qtbot)
    drop(view.cards["B"], urls(folders[1]))
    client.answer(*waiting(client, ReadPile))
    (fit,) = waiting(client, FitPiles)
    fit.progress(0.5, "cats")
    assert view.pages.currentIndex() == 1 and "cats" in view.fitting.label.text()
    qtbot.mouseClick(view.fitting.cancel_button, LEFT)
    assert fit.id in client.cancelled and "stopped" in view.empty.label.text()
    qtbot.mouseClick(view.empty_act, LEFT)
    settle(piles, client, qtbot)
    assert view.pages.currentWidget() is view.sheet


@pytest.mark.parametrize("kind", [ReadPile, FitPiles, TranslatePage, TranslatePicture])
def test_a_failure_stands_where_it_happened_and_nothing_is_lost(full, client, qtbot, kind):
    client.fail = kind
    view = full.widget()
    full.links.forget()
    full.sync()
    settle(full, client, qtbot)
    places = {ReadPile: view.cards["A"].sentence, FitPiles: view.empty.label, TranslatePage: view.told,
              TranslatePicture: view.pair.problem}  # fmt: skip
    assert places[kind].text() == "It could not be computed." and places[kind].isVisibleTo(view)
    client.fail = None
    full.links.forget()
    full.sync()
    settle(full, client, qtbot)
    assert view.pages.currentWidget() is view.sheet and full.large() is not None


def test_another_engine_is_asked_for_everything_again(full, workspace, client, qtbot):
    before = {index: pixels(full.widget(), index).tobytes() for index in full.widget().sheet.visible}
    client.forget()
    reads = len(client.sent(ReadPile))
    workspace.engine_restarted()
    assert full.widget().pages.currentWidget() is full.widget().sheet  # what was seen stays meanwhile
    settle(full, client, qtbot)
    assert len(client.sent(ReadPile)) == reads + 2 and full.links.fit.ready
    assert {index: pixels(full.widget(), index).tobytes() for index in full.widget().sheet.visible} == before


def test_saving_goes_on_with_another_engine(full, workspace, tmp_path, client):
    full.save_all(str(tmp_path / "cats"))
    client.forget()
    workspace.engine_restarted()
    again = client.sent(SaveTranslations)[-1]
    assert again.replace and len(client.sent(SaveTranslations)) == 2
    client.run()
    assert "saved" in full.widget().told.text()


def test_a_pair_that_is_dropped_is_opened(full, workspace, tmp_path, client, qtbot, make_checkpoint):
    for name in "ab":
        (tmp_path / "pair" / name).mkdir(parents=True)
        make_checkpoint(f"pair/{name}/best")
    (tmp_path / "half" / "a").mkdir(parents=True)
    notices = []
    workspace.context.notify = lambda sentence, *more, **_k: notices.append(sentence)
    full.open_pair(tmp_path / "half")
    assert "is no pair" in notices[0] and not client.sent(OpenModel)
    assert drop(full.widget().cards["A"], urls(tmp_path / "pair"))
    settle(full, client, qtbot)
    panel = full.inspector_part()
    assert workspace.history.state.model.endswith("pair/a") and panel.methods.button("pair").isChecked()
    fit = client.sent(FitPiles)[-1]
    assert fit.method == "pair" and fit.pair.endswith("pair/b") and fit.target == ()
    assert not panel.strength.isEnabled() and panel.note.isVisibleTo(panel)
    assert client.sent(TranslatePage)[-1].strength == 1.0


def test_every_control_has_a_name_and_a_tooltip(full):
    from PySide6.QtWidgets import QAbstractButton

    view, panel = full.widget(), full.inspector_part()
    for part in (view, panel):
        for button in part.findChildren(QAbstractButton):
            assert button.accessibleName() or button.text(), button
    for control in (view.sheet, view.further, view.save, view.cards["A"].folder, panel.strength, panel.pair):
        assert control.toolTip()
