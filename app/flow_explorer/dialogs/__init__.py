"""Dialogs of the window: the sheet of keys, the About page, the first steps."""
