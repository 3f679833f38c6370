"""`python -m imagegen` is the same as `imagegen`."""

from imagegen.cli import main

if __name__ == "__main__":
    main()
