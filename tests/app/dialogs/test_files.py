"""The dialogs for files and folders: what they propose, add and ask, and where they begin the next time."""

from __future__ import annotations

import pytest
from PySide6.QtWidgets import QFileDialog, QMessageBox, QWidget

from flow_explorer.dialogs.files import LastFolder, any_file, ask_file, ask_folder, ask_save, pictures
from flow_explorer.settings import Settings


@pytest.fixture
def owner(qtbot):
    window = QWidget()
    qtbot.addWidget(window)
    inner = QWidget(window)
    window.show()
    yield inner
    window.close()


@pytest.fixture
def last(tmp_path):
    (tmp_path / "first").mkdir()
    return LastFolder(Settings(tmp_path / "settings.json"), "some.folder", str(tmp_path / "first"))


def choose(dialog, path) -> None:
    dialog.setDirectory(str(path.parent))
    dialog.selectFile(path.name)
    dialog.accept()


def test_a_chosen_file_is_handed_on_and_its_folder_is_where_the_next_dialog_begins(owner, last, tmp_path):
    picture = tmp_path / "there" / "a.png"
    picture.parent.mkdir()
    picture.touch()
    taken = []
    dialog = ask_file(owner, "Choose", taken.append, last, pictures())
    assert dialog.fileMode() == QFileDialog.FileMode.ExistingFile
    assert dialog.parent() is owner.window() and dialog.windowTitle() == "Choose" and dialog.isVisible()
    assert dialog.directory().absolutePath() == last.first
    assert "*.png" in dialog.nameFilters()[0] and dialog.nameFilters()[1] == any_file()
    choose(dialog, picture)
    assert taken == [str(picture)] and str(last) == str(picture.parent)
    again = ask_file(owner, "Choose", taken.append, last)
    assert again.directory().absolutePath() == str(picture.parent)
    again.reject()
    assert len(taken) == 1


def test_of_a_folder_the_one_around_it_is_remembered_or_the_folder_itself(owner, last, tmp_path):
    inside = LastFolder(last.settings, "other.folder", within=True)
    taken = []
    for start in (last, inside):
        dialog = ask_folder(owner, "Choose", taken.append, start)
        assert dialog.fileMode() == QFileDialog.FileMode.Directory
        dialog.fileSelected.emit(str(tmp_path / "first"))
        dialog.reject()
    assert taken == [str(tmp_path / "first")] * 2
    assert str(last) == str(tmp_path) and str(inside) == str(tmp_path / "first")


def test_saving_proposes_a_name_and_adds_its_suffix(owner, last, tmp_path):
    taken = []
    dialog = ask_save(owner, "Save", "walk.webp", taken.append, str(tmp_path))
    assert dialog.acceptMode() == QFileDialog.AcceptMode.AcceptSave and dialog.nameFilters() == ["WEBP (*.webp)"]
    assert dialog.selectedFiles() == [str(tmp_path / "walk.webp")]
    assert not dialog.testOption(QFileDialog.Option.DontConfirmOverwrite)
    choose(dialog, tmp_path / "mine")
    assert taken == [str(tmp_path / "mine.webp")]
    dialog = ask_save(owner, "Save", "m.safetensors", taken.append, last, "Checkpoints")
    assert dialog.nameFilters() == ["Checkpoints (*.safetensors)"]
    dialog.reject()


def test_another_suffix_is_no_reason_to_overwrite_unasked(owner, tmp_path, qtbot):
    (tmp_path / "run 1.5.png").write_bytes(b"kept")
    taken = []
    for answer, expected in (("Keep", []), ("Replace", [str(tmp_path / "run 1.5.png")])):
        dialog = ask_save(owner, "Save", "walk.png", taken.append, str(tmp_path))
        choose(dialog, tmp_path / "run 1.5")
        (box,) = [box for box in owner.window().findChildren(QMessageBox) if box.isVisible()]
        next(button for button in box.buttons() if button.text() == answer).click()
        assert taken == expected
    dialog = ask_save(owner, "Save", "walk.png", taken.append, str(tmp_path))
    choose(dialog, tmp_path / "run 2.5")
    assert taken[-1] == str(tmp_path / "run 2.5.png")
    dialog = ask_save(owner, "Save", "walk.png", taken.append, str(tmp_path))
    choose(dialog, tmp_path / "RUN.PNG")
    assert taken[-1] == str(tmp_path / "RUN.PNG")
