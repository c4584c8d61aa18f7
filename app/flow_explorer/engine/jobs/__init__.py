"""What the engine does: a module a group of requests, found by the group's name."""
