"""Layers: a picture followed from pixels to noise and back; what its likelihood is made of; its z against the prior.

- ``link.py`` asks the engine, once a picture, for every stage as a small picture, so that scrubbing needs nobody;
- ``view_model.py`` is what has come of it, ``names.py`` how layers are called;
- ``panel.py`` puts the views together: ``stage_view.py``, ``scrubber.py``, ``terms_view.py``; behind the switch ``prior_view.py``
  with ``qq_view.py`` and ``shell_view.py``.
"""
