"""The directions in front of a person, on an engine that knows them."""

from __future__ import annotations

import pytest

from tests.app.explorer.facets.directions.case import Answers


@pytest.fixture
def answers(client) -> Answers:
    return Answers(client)


@pytest.fixture
def facet(answers, workspace, client):
    """The facet in front, about a selected sample; everything has been answered."""
    workspace.acts.select(0)
    workspace.look_deeper()
    workspace._canvas.tabs.button("directions").click()
    client.run()
    made = workspace.controller.facets["directions"]
    assert workspace.controller.facet is made
    return made
