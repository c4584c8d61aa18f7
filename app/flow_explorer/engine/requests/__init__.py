"""What the window may ask of the engine: a module a group of jobs."""
