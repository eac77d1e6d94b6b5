"""`python -m raim` is the command `raim`."""

from raim.cli import main

if __name__ == "__main__":
    main()
