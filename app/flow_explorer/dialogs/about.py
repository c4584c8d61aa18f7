"""About: what this is, the bundled models with their data and licences, and the libraries it stands on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from importlib import metadata
from pathlib import Path
from typing import Any

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from flow_explorer import assets, icons
from flow_explorer.dialogs.sheet import Sheet
from flow_explorer.i18n import tr
from flow_explorer.widgets.fold import Card, Heading, Label, ValueRow
from flowcore.errors import FlowError
from flowcore.model.card import SYSTEM_NAMES, read_card

LIBRARIES = (
    ("PySide6_Essentials", "Qt for Python", "LGPL-3.0"),
    ("torch", "PyTorch", "BSD-3-Clause"),
    ("numpy", "NumPy", "BSD-3-Clause"),
    ("pillow", "Pillow", "MIT-CMU"),
    ("pyqtgraph", "PyQtGraph", "MIT"),
    ("safetensors", "safetensors", "Apache-2.0"),
    ("platformdirs", "platformdirs", "MIT"),
    ("rich", "Rich", "MIT"),
)
"""(distribution, name, licence) of what is installed with us."""


def model_rows(card: Mapping[str, Any]) -> list[tuple[str, str]]:
    """What the About page says of a model, from its card: (label, value) pairs; missing figures are left out."""
    data = card.get("data")
    data = data if isinstance(data, dict) else {}
    size = card.get("size") or []
    shape = "×".join(str(side) for side in size) + (f" × {card['channels']}" if card.get("channels") else "")
    rows = [
        (tr("System"), f"{SYSTEM_NAMES.get(str(card.get('system')), card.get('system') or '')} {shape}".strip()),
        (tr("Likelihood"), f"{card['bpd']:.2f} bits per dimension" if isinstance(card.get("bpd"), int | float) else ""),
        (tr("Parameters"), f"{card['parameters']:,}" if isinstance(card.get("parameters"), int) else ""),
        (tr("Trained on"), str(data.get("name") or "")),
        (tr("Licence"), str(data.get("licence") or "")),
    ]
    return [(label, value) for label, value in rows if value]


def data_rows(cards: Sequence[Mapping[str, Any]], extra: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """The data behind the models, each set once: ``title``, ``licence``, ``credit``, ``note``."""
    found: dict[str, Mapping[str, Any]] = {}
    for card in cards:
        data = card.get("data")
        if isinstance(data, dict) and data.get("name"):
            found.setdefault(str(data["name"]), {**data, "title": data["name"]})
    for row in extra:
        if row.get("title"):
            found.setdefault(str(row["title"]), row)
    return list(found.values())


def library_rows(engine_versions: Mapping[str, str]) -> list[tuple[str, str, str]]:
    """(name, version, licence) of the libraries that are installed; the engine knows torch's version best."""
    rows = []
    for distribution, name, licence in LIBRARIES:
        version = engine_versions.get(distribution, "")
        if not version:
            try:
                version = metadata.version(distribution)
            except metadata.PackageNotFoundError:
                continue
        rows.append((name, version, licence))
    return rows


def own_version() -> str:
    """The version of Flow Explorer, of the installed distribution or the checkout."""
    try:
        return metadata.version("flow-explorer")
    except metadata.PackageNotFoundError:
        from flowcore import __version__

        return __version__


class AboutDialog(Sheet):
    """Everything is read from the cards and the installation, nothing is written here by hand but the words."""

    def __init__(
        self, engine_versions: Mapping[str, str], extra: Sequence[Mapping[str, Any]] = (),
        parent: QWidget | None = None, models: Sequence[Path] | None = None,
    ) -> None:
        super().__init__(tr("About"), parent, 600, 680)
        self._head()
        cards = self._models(assets.models() if models is None else models)
        self._data(data_rows(cards, extra))
        self._section(tr("Pictures and icons"))
        words = tr("Icons and example pictures were made for Flow Explorer and are in the public domain (CC0 1.0).")
        self.body.addWidget(Label(words, "muted", wrap=True))
        self._section(tr("Libraries"))
        for name, version, licence in library_rows(engine_versions):
            self.body.addWidget(ValueRow(f"{name} {version}", licence, "muted"))
        self.body.addStretch(1)

    def _head(self) -> None:
        picture = Label()
        picture.setPixmap(icons.application_icon().pixmap(64, 64))
        words = QVBoxLayout()
        words.setSpacing(2)
        words.addWidget(Label("Flow Explorer", "title"))
        words.addWidget(Label(tr("Version {version}", version=own_version()), "muted"))
        line = QHBoxLayout()
        line.setSpacing(16)
        line.addWidget(picture, 0, Qt.AlignmentFlag.AlignTop)
        line.addLayout(words, 1)
        self.body.addLayout(line)
        self.body.addSpacing(4)
        self.body.addWidget(
            Label(
                tr(
                    "Explores the latent space of normalizing flows: every picture has exactly one z, every z is a "
                    "picture, and every picture has a likelihood. Nothing you open leaves this computer."
                ),
                wrap=True,
            )
        )

    def _section(self, title: str) -> None:
        self.body.addSpacing(16)
        self.body.addWidget(Heading(title))

    def _models(self, models: Sequence[Path]) -> list[Mapping[str, Any]]:
        self._section(tr("Bundled models"))
        cards = []
        for path in models:
            try:
                facts = read_card(path)
            except FlowError as error:
                self.body.addWidget(Label(str(error), "warning", wrap=True))
                continue
            cards.append(facts)
            self._card(str(facts.get("title") or facts.get("name") or path.stem), model_rows(facts))
        if not models:
            self.body.addWidget(Label(tr("No model is bundled with this copy."), "muted"))
        return cards

    def _data(self, rows: Sequence[Mapping[str, Any]]) -> None:
        if rows:
            self._section(tr("Data"))
        names = ((tr("Licence"), "licence"), (tr("Credit"), "credit"), (tr("Note"), "note"))
        for row in rows:
            self._card(str(row["title"]), [(label, str(row[key])) for label, key in names if row.get(key)])

    def _card(self, title: str, rows: Sequence[tuple[str, str]]) -> None:
        card = Card()
        card.body.setSpacing(4)
        card.body.addWidget(Label(title, "strong", wrap=True))
        for label, value in rows:
            card.body.addLayout(_line(label, value))
        self.body.addWidget(card)


def _line(label: str, value: str) -> QHBoxLayout:
    name, text = Label(label, "muted"), Label(value, wrap=True)
    name.setFixedWidth(96)
    name.setAlignment(Qt.AlignmentFlag.AlignTop)
    text.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
    line = QHBoxLayout()
    line.setSpacing(8)
    line.addWidget(name)
    line.addWidget(text, 1)
    return line
