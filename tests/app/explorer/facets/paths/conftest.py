"""Paths in front of a person, through their real widgets on a stand-in for the engine."""

from __future__ import annotations

import pytest

from tests.app.explorer.facets.paths.case import (
    answers,
    click,
    latent,
)


@pytest.fixture
def client(client):
    known = client.work

    def work(request):
        return answers(request) if request.kind.startswith("paths.") else known(request)

    client.work = work
    return client


@pytest.fixture
def paths(workspace, client):
    """The facet in front, as a person comes to it."""
    workspace.look_deeper()
    workspace._canvas.tabs.button("paths").click()
    client.run()
    facet = workspace.controller.facet
    assert facet is not None and facet.id == "paths" and facet.widget().isVisible()
    return facet


@pytest.fixture
def pad(paths, workspace, client, qtbot):
    click(qtbot, paths.switch.button("pad"))
    return paths.pad


@pytest.fixture
def full(pad, client):
    pad.fill()
    client.run()
    return pad


@pytest.fixture
def keys(paths, workspace, client, qtbot):
    click(qtbot, paths.switch.button("keys"))
    return paths.timeline


@pytest.fixture
def three(keys, paths, workspace, client):
    for index in (1, 2, 3):
        keys.add(workspace.acts.slot_of(latent(workspace, index)))
    client.run()
    assert len(paths.state.stops) == 3 and keys.link.ready
    return keys
