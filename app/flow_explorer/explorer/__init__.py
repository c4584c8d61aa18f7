"""The Explorer: sample a flow at any temperature, put two pictures in it, and walk between them in z."""
