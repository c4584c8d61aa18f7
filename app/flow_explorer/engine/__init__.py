"""The engine: the one place that owns torch, a process of its own, and the window's client for it."""
