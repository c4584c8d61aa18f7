"""The comparison, driven through its widgets."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import QEvent, QMimeData, QPoint, QPointF, Qt, QUrl
from PySide6.QtGui import QMouseEvent
from PySide6.QtWidgets import QApplication, QFileDialog

from flow_explorer import theme
from flow_explorer.engine.requests.compare import ComparePage, DecodeSame, Exchange, ReadPicture, Release
from flow_explorer.explorer.facets.compare.state import Side, State
from flow_explorer.explorer.state import ExplorerState
from flowcore.latents.resample import BEYOND

LEFT = Qt.MouseButton.LeftButton


def row(facet, name: str) -> tuple[str, str, str]:
    found = next(each for each in facet.view.table.rows if each.name == name)
    return found.left, found.right, found.apart


def shown(facet, *parts) -> list[bool]:
    return [part.isVisibleTo(facet.view) for part in parts]


def test_at_first_it_says_what_goes_here_and_asks_nothing(workspace, client, facet, notices):
    view = facet.view
    assert shown(facet, view.empty, view.table, view.pictures["left"]) == [True, False, False]
    assert "“Tiny”" in view.empty.label.text() and "8×8 in colour" in view.empty.label.text()
    assert not client.sent(ReadPicture) and not facet.busy
    assert view.heads["left"].menu.texts == ("Tiny", "this model") and view.heads["right"].menu.texts[0] == "Choose a model…"
    # The bundled model is the open one: there is no other to propose.
    assert not facet._first.isVisibleTo(view) and facet._file.isVisibleTo(view) and not facet._fill.isVisibleTo(view)


def test_another_bundled_model_is_one_press_away(workspace, client, facet, bundle, qtbot):
    path = bundle / "models" / "zebra.safetensors"
    path.write_bytes((bundle / "models" / "tiny.safetensors").read_bytes())
    facet.sync()
    assert facet._first.isVisibleTo(facet.view) and "Tiny" in facet._first.text()
    qtbot.mouseClick(facet._first, LEFT)
    assert facet.state.right == Side("zebra")


def test_of_a_model_that_was_opened_from_its_run_the_run_is_proposed(workspace, client, facet, run_folder, qtbot):
    explored = run_folder / "explored" / "best-0000200.safetensors"
    explored.parent.mkdir()
    explored.write_bytes((run_folder / "best.safetensors").read_bytes())
    for path in (explored, run_folder / "step-000100.safetensors"):
        workspace.acts.set_model(str(path), 4, 0.7)
        client.run()
        assert "checkpoints of its run" in facet._first.text() and facet._first.isVisibleTo(facet.view)
        qtbot.mouseClick(facet._first, LEFT)
        client.run()
        assert facet.state.right == Side(str(run_folder)) and facet.view.heads["right"].track.maximum() == 4
        workspace.history.undo()


def test_the_picture_under_both_models(workspace, client, facet, other):
    facet.choose("right", str(other))
    client.run()
    subject = workspace.controller.subject()
    left, right = client.sent(ReadPicture)
    assert (left.side, right.side) == ("left", "right") and right.model == str(other)
    for request in (left, right):
        assert np.array_equal(request.picture, subject.picture) and request.drawn == 2 and request.seed == 0
    assert row(facet, "Bits per dimension") == ("4.000", "3.960", "−0.040")
    assert row(facet, "Level 1, the finest") == ("−4.500", "−4.540", "−0.040")
    assert row(facet, "Level 2") == ("0.250", "0.250", "0.000")
    assert row(facet, "Before level 1")[:2] == ("8.000", "8.000")
    view = facet.view
    assert shown(facet, view.empty, view.table, view.pictures["left"], view.pictures["third"]) == [False, True, True, False]
    assert view.pictures["right"].array()[0, 0, 0] == 40 and view.captions["right"].text() == "The 2 finest levels drawn anew"
    assert not facet.busy and workspace.history.state.of("compare") == State(right=Side(str(other)))


def test_drawing_again_and_other_levels_are_acts_that_can_be_undone(workspace, client, facet, other, qtbot):
    facet.choose("right", str(other))
    client.run()
    qtbot.mouseClick(facet.view.again, LEFT)
    client.run()
    assert [request.seed for request in client.sent(ReadPicture)[-2:]] == [1, 1]
    slider = facet.view.drawn
    assert (slider.minimum, slider.maximum, slider.value()) == (1, 2, 2)
    slider.track.setFocus()
    qtbot.keyClick(slider.track, Qt.Key.Key_Home)
    client.run()
    assert client.sent(ReadPicture)[-1].drawn == 1 and facet.state.drawn == 1
    workspace.history.undo()
    client.run()
    assert facet.state.drawn == 2 and slider.value() == 2
    workspace.history.undo()
    workspace.history.undo()
    client.run()
    assert facet.state == State() and shown(facet, facet.view.empty) == [True]
    assert BEYOND > 2**31  # no page's sample is what is drawn


def test_a_runs_checkpoints_are_gone_through_by_a_slider(workspace, client, facet, run_folder, qtbot):
    facet.choose("right", str(run_folder))
    client.run()
    head = facet.view.heads["right"]
    assert head.run.isVisibleTo(facet.view) and not facet.view.heads["left"].run.isVisibleTo(facet.view)
    assert (head.track.maximum(), head.track.value(), head.step.text()) == (4, 1, "best, step 200")
    head.track.setFocus()
    qtbot.keyClick(head.track, Qt.Key.Key_Right)
    qtbot.keyClick(head.track, Qt.Key.Key_Right)
    assert facet.state.right == Side(str(run_folder), "step-000300.safetensors") and head.step.text() == "step 300"
    before = len([request for request in client.sent(ReadPicture) if request.side == "left"])
    client.run()
    assert row(facet, "Bits per dimension")[1] == "3.700"
    assert len([request for request in client.sent(ReadPicture) if request.side == "left"]) == before
    qtbot.keyClick(head.track, Qt.Key.Key_End)
    client.run()
    assert head.step.text() == "last, step 350" and head.track.accessibleDescription() == "last, step 350"
    workspace.history.undo()  # keys in a row are one act
    client.run()
    assert facet.state.right == Side(str(run_folder)) and head.track.value() == 1


def test_a_checkpoint_that_its_run_replaces_is_asked_for_anew(workspace, client, facet, run_folder):
    facet.choose("right", str(run_folder / "last.safetensors"))
    client.run()
    count = len(client.sent(ReadPicture))
    (run_folder / "step-000400.safetensors").write_bytes((run_folder / "best.safetensors").read_bytes())
    facet.sync()
    assert facet.view.heads["right"].track.maximum() == 5 and len(client.sent(ReadPicture)) == count
    made = run_folder / "made"
    made.write_bytes((run_folder / "last.safetensors").read_bytes())
    made.replace(run_folder / "last.safetensors")
    facet.sync()
    assert len(client.sent(ReadPicture)) == count + 1 and client.sent(ReadPicture)[-1].side == "right"
    client.run()
    assert not facet.busy


def test_a_drag_shows_what_came_and_ends_where_it_ends(workspace, client, facet, run_folder, qtbot):
    facet.choose("right", str(run_folder))
    client.run()
    track, count = facet.view.heads["right"].track, len(client.sent(ReadPicture))
    middle = track.height() // 2
    qtbot.mousePress(track, LEFT, pos=QPoint(round(track.position_x(0)), middle))
    for share in (0.5, 0.75, 1):
        qtbot.mouseMove(track, QPoint(round(track.position_x(share)), middle))
    # One is on its way, and only the newest waits behind it.
    assert len(client.sent(ReadPicture)) == count + 1 and facet.view.pictures["right"]._dim < 1
    client.run()
    qtbot.mouseRelease(track, LEFT, pos=QPoint(round(track.position_x(1)), middle))
    assert client.sent(ReadPicture)[-1].model.endswith("last.safetensors") and len(client.sent(ReadPicture)) == count + 2
    assert not facet.busy and facet.view.pictures["right"]._dim == 1
    workspace.history.undo()
    assert facet.state.right == Side(str(run_folder))


def test_both_sides_may_be_of_one_run_and_a_sample_keeps_its_z(workspace, client, facet, run_folder, qtbot):
    facet.choose("left", str(run_folder / "step-000100.safetensors"))
    facet.choose("right", str(run_folder / "step-000300.safetensors"))
    assert facet.view.heads["left"].run.isVisibleTo(facet.view)
    assert facet.state.left == Side(str(run_folder), "step-000100.safetensors")
    qtbot.mouseClick(facet.view.look.button("z"), LEFT)
    client.run()
    subject = workspace.controller.subject()
    left, right = client.sent(DecodeSame)[-2:]
    assert np.array_equal(left.z, subject.z) and np.array_equal(right.z, subject.z) and not client.sent(Exchange)
    assert (Path(left.model).stem, Path(right.model).stem) == ("step-000100", "step-000300")
    assert row(facet, "Bits per dimension") == ("2.900", "2.700", "−0.200")
    view = facet.view
    assert view.pictures["third"].array().max() == 255 and view.captions["third"].text().startswith("At most 2 grey levels")
    assert "127.5 times as strong" in view.captions["third"].text()
    facet.choose("left", "")
    client.run()
    assert facet.state.left == Side() and view.heads["left"].menu.texts[1] == "this model"


def test_of_a_picture_the_left_models_own_z_is_decoded(workspace, client, facet, run_folder, png):
    workspace.acts.put_picture("A", png(), "red.png")
    workspace.acts.set_subject("A")
    facet.choose("left", str(run_folder / "step-000100.safetensors"))
    facet.choose("right", str(run_folder))
    client.run()
    facet.change(State("z", facet.state.left, facet.state.right), "look")
    client.run()
    subject = workspace.controller.subject()
    own = (subject.picture.astype(np.float32) / 100).ravel()
    for request in client.sent(DecodeSame)[-2:]:
        assert np.array_equal(request.z, own)
    assert not facet.busy and facet.sides["right"].decoded.bpd is not None


def test_the_same_z_where_it_means_nothing_is_said_and_the_rest_works(workspace, client, facet, make_checkpoint, qtbot):
    shallow = make_checkpoint("shallow-7", title="Shallow", architecture={"system": "nice", "shape": [3, 8, 8]})
    facet.choose("right", str(shallow))
    client.run()
    view = facet.view
    assert len(client.sent(Exchange)) == 1 and not view.look.button("z").isEnabled()
    assert view.look.button("z").toolTip() == "The number of levels of z differs."
    assert row(facet, "Bits per dimension")[1] == "3.993" and row(facet, "Level 3, the coarsest") == ("0.250", "–", "")
    facet.change(State("z", right=Side(str(shallow))), "look")
    client.run()
    assert view.empty.label.text() == "The number of levels of z differs." and not client.sent(DecodeSame)
    assert shown(facet, view.empty, facet._fill, view.pictures["left"]) == [True, False, False]
    facet.change(State("page", right=Side(str(shallow))), "look")
    client.run()
    assert shown(facet, view.empty, view.grids["right"]) == [False, True] and len(client.sent(Exchange)) == 1


def test_where_it_cannot_be_told_whether_a_z_can_be_exchanged_that_is_said_once(workspace, client, facet, make_checkpoint):
    other = make_checkpoint("deep-7", title="Deep", architecture={"system": "glow", "shape": [3, 8, 8], "levels": 2})
    client.fail = Exchange
    facet.change(State("z", right=Side(str(other))), "look")
    client.run()
    assert facet.view.empty.label.text() == "It could not be computed." and len(client.sent(Exchange)) == 1 and not facet.busy
    client.fail = None
    workspace.engine_restarted()
    client.run()
    assert shown(facet, facet.view.empty) == [False] and len(client.sent(DecodeSame)) == 2


def test_figures_of_what_was_there_before_are_muted(workspace, client, facet, run_folder):
    facet.choose("right", str(run_folder))
    client.run()
    cells = facet.view.table.cells[1]
    assert [label.property("tone") for label in cells] == ["", "", "", ""]
    facet.go_to("right", 0)
    assert [label.property("tone") for label in cells] == ["", "", "muted", "muted"] and cells[2].text() == "4.000"
    client.run()
    assert [label.property("tone") for label in cells] == ["", "", "", ""] and cells[2].text() == "3.900"


def test_a_page_of_the_same_seeds_whose_cells_light_up_together(workspace, client, facet, other, qtbot):
    facet.choose("right", str(other))
    qtbot.mouseClick(facet.view.look.button("page"), LEFT)
    client.run()
    (request,) = client.sent(ComparePage)
    state = workspace.history.state
    assert (request.seed, request.count, request.temperature, request.side) == (state.seed, 16, 0.7, "right")
    grids = facet.view.grids
    assert facet._sample("left", 3) is workspace.controller.page.view.slots[3].picture
    assert facet._sample("right", 3)[0, 0, 0] == 40
    grids["left"].resize(300, 300)
    place = QPointF(grids["left"].cell(5).center())
    QApplication.sendEvent(grids["left"], QMouseEvent(QEvent.Type.MouseMove, place, place, Qt.MouseButton.NoButton,
                                                      Qt.MouseButton.NoButton, Qt.KeyboardModifier.NoModifier))  # fmt: skip
    assert (grids["left"].hovered, grids["right"].hovered) == (5, 5)
    QApplication.sendEvent(grids["left"], QEvent(QEvent.Type.Leave))
    assert grids["right"].hovered == -1
    workspace.acts.set_subject("B")
    qtbot.mouseClick(grids["right"], LEFT, pos=grids["right"].cell(2).center().toPoint())
    assert (workspace.history.state.selected, workspace.history.state.subject) == (2, "sample")
    assert grids["left"]._selected == grids["right"]._selected == 2
    workspace.acts.new_samples()
    client.run()
    assert client.sent(ComparePage)[-1].seed == workspace.history.state.seed and "Seed 5" in facet.view.note.text()


def test_the_menu_lists_models_of_another_size_greyed_with_the_reason(workspace, facet, bundle, make_checkpoint):
    large = bundle / "models" / "large.safetensors"
    large.write_bytes(make_checkpoint("large", title="Large", size=[16, 16]).read_bytes())
    for which in ("left", "right"):
        menu = facet.view.heads[which].menu
        menu.fill()
        actions = {action.text().partition("\t")[0]: action for action in menu.menu().actions()}
        assert not actions["Large"].isEnabled() and "16×16" in actions["Large"].toolTip() and actions["Tiny"].isEnabled()
        assert ("This model: Tiny" in actions) == (which == "left")


def test_a_file_is_asked_for_and_one_that_cannot_stand_there_changes_nothing(workspace, client, facet, other, tmp_path, notices,
                                                                            make_checkpoint, qtbot):  # fmt: skip
    qtbot.mouseClick(facet._file, LEFT)
    dialog = facet.view.window().findChild(QFileDialog)
    dialog.fileSelected.emit(str(other))
    dialog.close()
    client.run()
    kept = facet.state
    assert kept.right == Side(str(other))
    broken = tmp_path / "broken.safetensors"
    broken.write_bytes(other.read_bytes()[:-5])
    empty = tmp_path / "empty"
    empty.mkdir()
    for path, words in ((broken, "broken.safetensors"), (empty, "without a checkpoint"),
                        (make_checkpoint("large", title="Large", size=[16, 16]), "16×16")):  # fmt: skip
        facet.choose("right", str(path))
        sentence, kind, _act = notices[-1]
        assert words in sentence and kind == "error" and facet.state == kept
    assert row(facet, "Bits per dimension")[1] == "3.960"


def test_weights_that_the_engine_cannot_load_are_said_in_their_place(workspace, client, facet, other, run_folder):
    facet.choose("right", str(run_folder))
    client.run()
    client.fail = ReadPicture
    facet.choose("right", str(other))
    client.run()
    view = facet.view
    assert view.problems["right"].text() == "It could not be computed." and not facet.busy
    assert shown(facet, view.problems["right"], view.pictures["right"], view.pictures["left"]) == [True, False, True]
    assert row(facet, "Bits per dimension") == ("4.000", "–", "")
    client.fail = None
    workspace.history.undo()
    client.run()
    assert shown(facet, view.problems["right"], view.pictures["right"]) == [False, True]


def test_another_open_model_of_another_size_says_so_and_offers_the_choice(workspace, client, facet, other, make_checkpoint):
    facet.choose("right", str(other))
    client.run()
    large = make_checkpoint("large", title="Large", size=[16, 16])
    workspace.acts.set_model(str(large), 4, 0.7)
    facet.sync()
    assert "“Other” sees pictures of 8×8 in colour, and “Large” of 16×16" in facet.view.problems["right"].text()
    assert facet.state.right == Side(str(other))


def test_without_a_picture_one_act_helps_but_the_page_needs_none(workspace, client, facet, other, qtbot):
    facet.choose("right", str(other))
    workspace.acts.select(-1)
    client.run()
    view = facet.view
    assert "Select a sample" in view.empty.label.text() and facet._fill.isVisibleTo(view) and not facet._file.isVisibleTo(view)
    qtbot.mouseClick(view.look.button("page"), LEFT)
    client.run()
    assert shown(facet, view.empty, view.grids["left"]) == [False, True]
    qtbot.mouseClick(view.look.button("picture"), LEFT)
    qtbot.mouseClick(facet._fill, LEFT)
    client.run()
    assert workspace.history.state.selected == 0 and shown(facet, view.empty) == [False]
    workspace.acts.set_subject("A")
    assert "picture in A" in view.empty.label.text() and facet._fill.text() == "Choose a picture…"
    workspace.acts.set_subject("walk")
    assert facet._fill.text() == "Use two samples"
    qtbot.mouseClick(facet._fill, LEFT)
    client.run()
    assert shown(facet, view.empty) == [False] and np.array_equal(client.sent(ReadPicture)[-1].picture,
                                                                  workspace.controller.frame().picture)  # fmt: skip


def test_nothing_is_held_or_asked_while_another_view_is_in_front(workspace, client, facet, other):
    workspace.acts.show_facet("samples")
    client.run()
    assert not client.sent(Release)  # nothing was held
    workspace.acts.show_facet("compare")
    facet.choose("right", str(other))
    workspace.acts.show_facet("samples")
    assert not any(isinstance(entry.request, ReadPicture) for entry in client.asked)
    client.run()
    assert len(client.sent(Release)) == 1
    count = len(client.sent(ReadPicture))
    workspace.acts.select(3)
    client.run()
    assert len(client.sent(ReadPicture)) == count
    workspace.acts.show_facet("compare")
    client.run()
    assert row(facet, "Bits per dimension")[1] == "3.960" and not facet.busy


def test_another_engine_is_asked_again(workspace, client, facet, other):
    facet.choose("right", str(other))
    client.run()
    count = len(client.sent(ReadPicture))
    workspace.engine_restarted()
    client.run()
    assert len(client.sent(ReadPicture)) == count + 2 and not facet.busy


def test_the_session_keeps_it(workspace, client, facet, run_folder):
    facet.choose("right", str(run_folder / "step-000100.safetensors"))
    client.run()
    saved = workspace.history.state.to_dict()
    facet.choose("right", str(run_folder))
    workspace.history.reset(ExplorerState.from_dict(saved))
    client.run()
    assert facet.view.heads["right"].step.text() == "step 100" and row(facet, "Bits per dimension")[1] == "3.900"


def test_a_dropped_checkpoint_goes_to_the_right_and_anything_else_where_it_belongs(workspace, client, facet, other, run_folder,
                                                                                  tmp_path):  # fmt: skip
    def mime(path: Path) -> QMimeData:
        data = QMimeData()
        data.setUrls([QUrl.fromLocalFile(str(path))])
        return data

    latent = tmp_path / "z.safetensors"
    latent.write_bytes(b"no model")
    assert not facet.drop(mime(latent)) and facet.state == State()
    assert facet.drop(mime(other)) and facet.state.right == Side(str(other))
    assert facet.drop(mime(run_folder)) and facet.state.right == Side(str(run_folder))


@pytest.mark.parametrize("look", ["picture", "z", "page"])
def test_nothing_overlaps_at_any_size_and_it_paints_in_both_themes(workspace, client, facet, run_folder, look):
    facet.choose("right", str(run_folder))
    facet.change(State(look, right=facet.state.right), "look")
    client.run()
    view, seen = facet.view, set()
    for name in ("dark", "light"):
        theme.choose(name)
        for size in ((1000, 780), (900, 560), (700, 480)):
            view.resize(*size)
            parts = [part for part in (*view.pictures.values(), *view.grids.values(), *view.heads.values(), view.table, view.look,
                                       view.controls) if part.isVisibleTo(view)]  # fmt: skip
            for index, part in enumerate(parts):
                inner = part.geometry().adjusted(4, 4, -4, -4)  # a grid's margin is its own
                assert view.rect().contains(inner) or part in (view.table, view.controls), (size, part)
                assert not any(inner.intersects(beside.geometry().adjusted(4, 4, -4, -4)) for beside in parts[index + 1 :]), size
            assert view.rect().contains(view.table.geometry()) or not view.table.isVisibleTo(view)
            seen.add(bytes(view.grab().toImage().constBits()))
    assert len(seen) == 6


def test_whole_pixels_are_shown_when_the_person_says_so(workspace, facet):
    assert facet.view.pictures["left"]._smooth and facet.view.grids["left"].smooth
    workspace.toggle_pixels()
    assert not facet.view.pictures["left"]._smooth and not facet.view.grids["left"].smooth
