"""Pixels in front of a person, on an engine that knows them."""

from __future__ import annotations

import pytest

from tests.app.explorer.facets.pixels.case import answers


@pytest.fixture
def pixels(workspace, client):
    """The facet in front, about a sample, its first maps answered."""
    plain = client.work
    client.work = lambda request: answers(request) if request.kind.startswith("pixels.") else plain(request)
    workspace.look_deeper()
    workspace.acts.select(1)
    client.run()
    workspace.acts.show_facet("pixels")
    client.run()
    made = workspace.controller.facets["pixels"]
    assert made.canvas.isVisible()
    return made
