"""The page of samples and the film strip of temperatures."""
