"""Data sets: folders, archives, arrays, tables of attributes, read beforehand or while training. Without torch."""
