"""The toy lab: pick a density of the plane and a flow, press play, and watch it learn."""
