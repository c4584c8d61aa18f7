"""The sheet in which a target is chosen: shapes, drawing, picture, points, formula."""
