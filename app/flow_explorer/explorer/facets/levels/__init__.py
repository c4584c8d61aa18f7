"""Keep a picture's coarse or fine levels, or a brushed region, and draw the rest anew."""
