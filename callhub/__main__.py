"""``python -m callhub``: the same commands as the console script."""

from callhub.cli import main

if __name__ == "__main__":
    main()
