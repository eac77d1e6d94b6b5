"""Any text as LaTeX that shows it and does nothing else, with nothing but what every LaTeX has.

ASCII's special signs become their commands, accented Latin letters their accents, Greek letters mathematics; a sign
that no standard font has is shown by its number, as [U+4E2D], so that no document fails to compile on a name. Stars and
brackets are in braces: at the start of a row they would belong to the end of the row before.
"""

import unicodedata
from collections.abc import Mapping
from types import MappingProxyType

# Source: Lamport, LaTeX: A Document Preparation System, sections 2.2 and 3.2, and the LaTeX2e font guide (OT1).
_SIGNS: Mapping[str, str] = MappingProxyType(
    {
        "\\": r"\textbackslash{}", "{": r"\{", "}": r"\}", "$": r"\$", "&": r"\&", "#": r"\#", "%": r"\%", "_": r"\_",
        "^": r"\textasciicircum{}", "~": r"\textasciitilde{}", "<": r"\textless{}", ">": r"\textgreater{}",
        "|": r"\textbar{}", '"': "''", "`": "{`}", "[": "{[}", "]": "{]}", "*": "{*}", "\u2010": "-",
        "\n": " ", "\t": " ", "\r": " ", "\u00a0": "~", "\u2013": "--", "\u2014": "---", "\u2018": "`", "\u2019": "'",
        "\u201c": "``", "\u201d": "''", "\u2026": r"\ldots{}", "\u00d7": r"$\times$", "\u00b1": r"$\pm$",
        "\u2212": "$-$", "\u00b0": r"$^{\circ}$", "\u00b7": r"$\cdot$", "\u2192": r"$\to$", "\u2264": r"$\le$",
        "\u2265": r"$\ge$", "\u221e": r"$\infty$", "\u00b2": "$^{2}$", "\u00b3": "$^{3}$", "\u2248": r"$\approx$",
        "\u00df": r"{\ss}", "\u00e6": r"{\ae}", "\u00c6": r"{\AE}", "\u0153": r"{\oe}", "\u0152": r"{\OE}",
        "\u00f8": r"{\o}", "\u00d8": r"{\O}", "\u0142": r"{\l}", "\u0141": r"{\L}", "\u0131": r"{\i}",
        "\u00a7": r"\S{}", "\u00a9": r"\copyright{}", "\u2022": r"$\bullet$",
    }
)  # fmt: skip
_ACCENTS: Mapping[str, str] = MappingProxyType(
    {
        "\u0300": "`", "\u0301": "'", "\u0302": "^", "\u0303": "~", "\u0308": '"', "\u0304": "=", "\u0307": ".",
        "\u0306": "u", "\u030c": "v", "\u030b": "H", "\u0327": "c", "\u0323": "d", "\u0331": "b", "\u030a": "r",
    }
)  # fmt: skip
_GREEK = frozenset(
    {
        "alpha", "beta", "gamma", "delta", "epsilon", "zeta", "eta", "theta", "iota", "kappa", "lambda", "mu", "nu",
        "xi", "pi", "rho", "sigma", "tau", "upsilon", "phi", "chi", "psi", "omega", "Gamma", "Delta", "Theta",
        "Lambda", "Xi", "Pi", "Sigma", "Phi", "Psi", "Omega",
    }
)  # fmt: skip


def escape(text: str) -> str:
    r"""Write a text as LaTeX.

    Example:
        >>> print(escape("50 % of M&M's_1 by Müller, {x}"))
        50 \% of M\&M's\_1 by M\"{u}ller, \{x\}
        >>> print(escape("中α"))
        {[}U+4E2D{]}$\alpha$
    """
    signs = unicodedata.normalize("NFC", text)
    # Two hyphens in a row would be taken for a dash.
    return "".join(
        "{}-" if before + sign == "--" else _escape_sign(sign)
        for before, sign in zip(f" {signs}", signs, strict=False)
    )


def _escape_sign(sign: str) -> str:
    if sign in _SIGNS:
        return _SIGNS[sign]
    if sign.isascii():
        return sign if sign.isprintable() else ""
    greek = _name_greek(sign)
    if greek in _GREEK:
        return f"$\\{greek}$"
    letter, *marks = list(unicodedata.normalize("NFD", sign))
    if letter.isascii() and letter.isalpha() and len(marks) == 1 and marks[0] in _ACCENTS:
        base = f"\\{letter}" if letter in "ij" and marks[0] not in "\u0327\u0323\u0331" else letter
        return f"\\{_ACCENTS[marks[0]]}{{{base}}}"
    return f"{{[}}U+{ord(sign):04X}{{]}}"


def _name_greek(sign: str) -> str:
    """Return the name of a Greek letter as LaTeX spells it; "" for others."""
    words = unicodedata.name(sign, "").lower().replace("lamda", "lambda").split()
    if len(words) != 4 or words[0] != "greek" or words[2] != "letter":
        return ""
    return words[3].capitalize() if words[1] == "capital" else words[3]
