"""The map: pictures of a folder as points in z, near ones alike to the model. Zoom, pick, and lasso a pile or a direction."""
