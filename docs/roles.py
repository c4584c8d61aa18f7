"""A hook of mkdocs: what docstrings refer to in reStructuredText's way, :class:`~package.Name`, is shown as the name alone."""

import re

ROLE = re.compile(r":(?:attr|class|func|meth|mod):<code>(~?)([\w.]+)</code>")


def on_page_content(html: str, **_: object) -> str:
    """The page with every role as plain code."""
    return ROLE.sub(lambda role: f"<code>{role[2].rpartition('.')[2] if role[1] else role[2]}</code>", html)
