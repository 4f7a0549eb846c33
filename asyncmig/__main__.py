"""``python -m asyncmig``: the command line."""

from asyncmig.cli.main import main

if __name__ == "__main__":
    main()
