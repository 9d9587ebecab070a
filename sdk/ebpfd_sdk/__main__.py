"""``python -m ebpfd_sdk``: the same as the command ``ebpfd-sdk``."""

from ebpfd_sdk.init.command import main

if __name__ == "__main__":
    main()
