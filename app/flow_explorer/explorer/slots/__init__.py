"""The two slots that hold pictures A and B: crop, eyes, figures."""
