"""The Content-Security-Policy of a self-contained page: its own style and script by their hashes, data for pictures.

Source: W3C, Content Security Policy Level 3, section 2.3.1 (hash-source) and 6.
"""

import base64
import hashlib


def write_policy(*, style: str, script: str, pictures: str = "data:") -> str:
    """Write the policy that lets a page apply one style sheet, run one script, show pictures, and no more.

    Args:
        style: The text within the style element.
        script: The text within the script element.
        pictures: Where pictures may come from.

    Example:
        >>> write_policy(style="", script="").split("; ")[:2]
        ["default-src 'none'", 'img-src data:']
    """
    return "; ".join(
        [
            "default-src 'none'",
            f"img-src {pictures}",
            f"style-src {_source(style)}",
            f"script-src {_source(script)}",
            "base-uri 'none'",
            "form-action 'none'",
        ]
    )


def _source(text: str) -> str:
    digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
    return f"'sha256-{digest}'"
