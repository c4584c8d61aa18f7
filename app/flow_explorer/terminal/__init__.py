"""What the terminal that a command was started from hears, and what ends it: figures, words, progress, signals."""
