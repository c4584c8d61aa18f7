"""Move a picture along directions in z: a list of sliders that add up, and ways to make a direction of one's own."""
