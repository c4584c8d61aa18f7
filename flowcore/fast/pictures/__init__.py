"""Flows of pictures, faster: the same numbers in fewer passes over memory."""
