"""``ebpfctl program disassemble``: a file's programs, and what is loaded."""

from pathlib import Path

from tests.e2e.world import PROGRAMS, sample, world

VM_PROGRAMS = Path(__file__).parents[2] / "daemon" / "vm" / "tests" / "programs"


async def test_a_file_and_what_was_loaded_of_it_read_alike(tmp_path: Path) -> None:
    """In JSON, whether by file or by id."""
    async with world(tmp_path) as w, sample(w):
        file = str(PROGRAMS / "count.o")
        (of_file,) = await w.ctl_json("program", "disassemble", file)
        (program,) = await w.ctl_json("program", "load", file)
        (loaded,) = await w.ctl_json("program", "disassemble", str(program["id"]))
        assert loaded == of_file
        assert (of_file["program"], of_file["section"]) == ("count_by_protocol", "sample_ext")
        first = of_file["instructions"][0]
        assert (first["pc"], first["label"]) == (0, "count_by_protocol")
        assert first["source"]["file"].endswith("count.c")
        assert sum(len(each["raw"]) for each in of_file["instructions"]) == (
            program["instructions"] * 16
        )


async def test_people_see_labels_lines_and_names(tmp_path: Path) -> None:
    """Functions at the margin, their source above their instructions, references behind them."""
    async with world(tmp_path) as w:
        file = str(VM_PROGRAMS / "subprograms.o")
        shown = await w.ctl("program", "disassemble", file, "--program", "first")
        lines = shown.out.splitlines()
        assert lines[0] == "first (sample_ext):"
        assert lines[1].startswith("    ; ./subprograms.c:")
        assert "twice:" in lines
        assert any(line.endswith("; twice") for line in lines)


async def test_what_is_no_file_and_no_id_is_refused(tmp_path: Path) -> None:
    """A usage error for a file that is not there, the daemon's error for a program."""
    async with world(tmp_path) as w:
        missing = await w.ctl("program", "disassemble", "nowhere.o")
        assert missing.code == 2
        assert "nowhere.o" in missing.err
        unknown = await w.ctl("-o", "json", "program", "disassemble", "4711")
        assert (unknown.code, unknown.error()["name"]) == (1, "KEY_NOT_FOUND")
