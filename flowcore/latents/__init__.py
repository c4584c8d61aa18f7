"""What one does in z: walks, timelines, resampling, translation, what layers make of a picture."""
