"""The facet of layers in front of a person, on an engine that knows it."""

from __future__ import annotations

import pytest

from flow_explorer.engine.requests.layers import DecodeLayers, EncodeLayers
from tests.app.explorer.facets.layers.case import (
    answers,
)


@pytest.fixture
def client(client):
    """The stand-in engine that also knows this facet's requests."""
    plain = client.work
    client.work = lambda request: (answers if isinstance(request, EncodeLayers | DecodeLayers) else plain)(request)
    return client


@pytest.fixture
def facet(workspace, client):
    """The facet in front, with the first sample followed."""
    workspace.look_deeper()
    workspace.acts.select(0)
    client.run()
    workspace.acts.show_facet("layers")
    client.run()
    return workspace.controller.facets["layers"]
