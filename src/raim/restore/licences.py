"""What a restorer's code and weights are licensed under, and what that says of commercial use.

The licence of the code stands in the descriptor, that of weights in the table of weights, by their names. What the
licences say of commercial use is derived from both; docs/weights.md has what is known of the data behind weights.
"""

from raim.restore.descriptor import OF_USER, Restorer
from raim.weights import weight_set

# SPDX identifiers (https://spdx.org/licenses) of licences that allow it.
ALLOWING = frozenset({"Apache-2.0", "BSD-2-Clause", "BSD-3-Clause", "MIT"})
ALLOWED = "yes"
UNSETTLED = "see the licence"


def find_weights_licence(restorer: Restorer) -> str:
    """Return the licences of a restorer's weights, with "; " between; "" where it has none.

    Example:
        >>> from raim.restore import find_restorer
        >>> find_weights_licence(find_restorer("ffdnet,real-esrgan-x4plus")), find_weights_licence(find_restorer("nlm"))
        ('MIT; BSD-3-Clause', '')
    """
    licences = [weight_set(name).licence for name in restorer.weights]
    return "; ".join(dict.fromkeys([*licences, *([OF_USER] if restorer.has_weights_of_user else [])]))


def find_commercial_use(restorer: Restorer) -> str:
    """Return whether the licences of a restorer's code and weights allow commercial use.

    Returns:
        "yes", "see the licence" where one is not known to allow it, or "yours" where code or weights are the user's.

    Example:
        >>> from raim.restore import find_restorer, restorer_from_command
        >>> find_commercial_use(find_restorer("auto"))
        'yes'
        >>> find_commercial_use(restorer_from_command("cp {input} {output}"))
        'yours'
    """
    licences = {*restorer.licence.split("; "), *find_weights_licence(restorer).split("; ")} - {""}
    if OF_USER in licences:
        return OF_USER
    return ALLOWED if licences <= ALLOWING else UNSETTLED
