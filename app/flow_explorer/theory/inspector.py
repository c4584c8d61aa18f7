"""The theory page's column: the part of the figure in front, and one button that takes it back to its beginning."""

from __future__ import annotations

from flow_explorer.i18n import tr
from flow_explorer.theory.controller import TheoryController
from flow_explorer.theory.panels import ALL
from flow_explorer.theory.panels.base import TheoryPanel
from flow_explorer.theory.state import TheoryState
from flow_explorer.widgets import Button, Inspector

__all__ = ["TheoryInspector"]


class TheoryInspector(Inspector):
    """One panel is visible at a time; each is made when its figure is first looked at."""

    def __init__(self, controller: TheoryController) -> None:
        super().__init__()
        self.controller = controller
        self.panels: dict[str, TheoryPanel] = {}
        self.add_stretch()
        words = tr("All values of this figure as they were at first.") + "\nR"
        self.reset = Button(tr("Reset the figure"), icon="reset", tooltip=words)
        self.add(self.reset)
        self.reset.clicked.connect(controller.reset)
        self.show_state(controller.state)

    def panel(self, figure: str) -> TheoryPanel:
        """The panel of a figure."""
        if figure not in self.panels:
            self.panels[figure] = ALL[figure](self.controller)
            self.body.addWidget(self.panels[figure])
        return self.panels[figure]

    def show_state(self, state: TheoryState) -> None:
        """Show the figure in front."""
        panel = self.panel(state.figure)
        for other in self.panels.values():
            other.setVisible(other is panel)
        panel.show_state(state)
        self.reset.setEnabled(state.current != type(state.current)())
