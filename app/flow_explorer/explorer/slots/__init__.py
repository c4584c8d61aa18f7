"""The two wells that hold pictures A and B: crop, eyes, figures."""
