"""Run, enter and judge image restoration challenges.

Importing raim loads no measure, no codec and no torch; each package is loaded when it is used:

    from raim.metrics import psnr
    from raim.scoring import score_pair

Example:
    >>> import raim
    >>> raim.__version__
    '0.1.0'
"""

__version__ = "0.1.0"
