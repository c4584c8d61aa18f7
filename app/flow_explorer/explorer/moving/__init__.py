"""What leaves the Explorer and what comes in: files, drops, recipes, animations, scripts."""
