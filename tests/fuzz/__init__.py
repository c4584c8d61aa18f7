"""Every reader is given files that are nearly right: see harness.py for what must hold, targets/ for the readers, a file each."""
