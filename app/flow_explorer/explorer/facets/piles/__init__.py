"""From pile A to pile B: two piles of pictures, a way between them, and every picture of the one as its counterpart in the other.

`state.py` is what the person has set, `links.py` what is asked of the engine and what has come, the rest is what is seen.
"""
