"""``python -m ebpfd``: the same as the command ``ebpfd``."""

from ebpfd.cli.daemon import main

if __name__ == "__main__":
    main()
