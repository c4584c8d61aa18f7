"""The parts of the window around the workspaces: rail, top bar, device chip, session, log, trace, screenshot."""
