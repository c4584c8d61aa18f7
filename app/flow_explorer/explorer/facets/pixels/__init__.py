"""Pixels: which z a pixel moves and which pixels a z moves; paint on the picture, and make what was painted plausible.

- ``state``: where one looks, with which brush one paints, and every picture's own strokes, as data;
- ``look_link`` and ``paint_link``: what is asked of the engine for them;
- ``look_canvas`` and ``paint_canvas``: the two halves of the view; in them are ``point_view``, ``brush_view``, ``maps_view`` and
  ``trio_view``, in the colours of ``colours``; ``controls`` stands in the column on the right;
- ``facet`` puts them together.
"""
