"""How bytes and flags are written on a command line."""

from pathlib import Path

import click


class Hex(click.ParamType[bytes]):
    """Bytes as hexadecimal digits; spaces, colons and a leading 0x do not matter."""

    name = "HEX"

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> bytes:
        """Bytes, or a usage error."""
        if isinstance(value, bytes):
            return value
        digits = str(value).removeprefix("0x").replace(":", "").replace(" ", "")
        try:
            return bytes.fromhex(digits)
        except ValueError:
            self.fail(
                f"{value!r} is not hexadecimal: write two digits a byte, like 0a00", param, ctx
            )


class HexOrFile(Hex):
    """Bytes as hexadecimal digits, or ``@FILE`` for a file's content."""

    name = "HEX|@FILE"

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> bytes:
        """Bytes, or a usage error."""
        if isinstance(value, str) and value.startswith("@"):
            try:
                return Path(value[1:]).read_bytes()
            except OSError as error:
                self.fail(f"{value[1:]}: {error.strerror}", param, ctx)
        return super().convert(value, param, ctx)


class Flags(click.ParamType[int]):
    """Flags as a number of 64 bits: decimal, or ``0x…``."""

    name = "FLAGS"

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> int:
        """The number, or a usage error."""
        try:
            flags = int(str(value), base=0)
        except ValueError:
            flags = -1
        if not 0 <= flags < 1 << 64:
            self.fail(f"{value!r} is no number of 64 bits: write 6 or 0x6", param, ctx)
        return flags


class MapBytes(click.ParamType[str]):
    """A map's key or value: ``0x…`` is bytes as hex, a decimal number is packed little-endian."""

    name = "KEY"

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> str:
        """The text, checked."""
        text = str(value)
        try:
            parse_map_bytes(text)
        except ValueError:
            self.fail(
                f"{text!r} is neither a number nor hexadecimal bytes: write 6 or 0x06000000",
                param,
                ctx,
            )
        return text


def parse_map_bytes(text: str) -> bytes | int:
    """Bytes for ``0x…``, a number else."""
    if text.startswith("0x"):
        return bytes.fromhex(text[2:])
    return int(text)


def existing_file() -> click.Path:
    """A file that is there to be read."""
    return click.Path(exists=True, dir_okay=False, readable=True)


meta_length_option = click.option(
    "--meta-length",
    type=click.IntRange(0, 2**32 - 1),
    default=0,
    show_default=True,
    metavar="BYTES",
    help="So much of the data, from its start, is metadata: what data_meta and data span.",
)
