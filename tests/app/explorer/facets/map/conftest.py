"""The map in front of a person, on an engine that knows it."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from tests.app.explorer.facets.map.case import (
    Engine,
)


@pytest.fixture
def mapped(workspace, client):
    """The map in front, on an engine that knows it; nothing is on it yet."""
    engine = Engine(client)
    workspace.look_deeper()
    workspace.acts.show_facet("map")
    client.run()
    facet = workspace.controller.facet
    return SimpleNamespace(facet=facet, panel=facet.widget(), canvas=facet.widget().canvas, side=facet.inspector_part(),
                           engine=engine, workspace=workspace, client=client, history=workspace.history)  # fmt: skip


@pytest.fixture
def full(mapped, tmp_path, qtbot):
    """The same with a folder of forty pictures on it."""
    (tmp_path / "cats and dogs").mkdir()
    mapped.path = str(tmp_path / "cats and dogs")
    mapped.facet.open_path(mapped.path)
    mapped.client.run()
    qtbot.waitUntil(lambda: mapped.canvas._old_points is None)
    return mapped
