"""Extensions that are wrong in one way fail the check that is about it, and no other."""

import asyncio
import sys
import tempfile
from pathlib import Path

import pytest

from ebpfd_sdk.check import Options, Outcome, Report, Verdict, check_extension
from ebpfd_sdk.check.__main__ import main
from ebpfd_sdk.check._report import Suite, fail
from ebpfd_sdk.check._run import check_real, check_wire
from tests.check import bare_extension, two_hooks_extension
from tests.e2e.world import SAMPLE, command

BARE = str(Path(bare_extension.__file__))
BAD = bytes.fromhex("ff")


SLOW = ("invokes-later", "silent", "promises-more", "no-stream", "goes-on", "sulks")
"""Faults that show only when time is up."""


def options(*words: str) -> Options:
    """The bare extension, which is given little time where nothing is to come."""
    timeout_s = 8.0 if set(words) & set(SLOW) else 60.0
    command_ = (sys.executable, BARE, *words)
    return Options(command_, bad_parameters=(BAD,), timeout_s=timeout_s)


def came_to(outcomes: list[Outcome], verdict: Verdict) -> list[str]:
    """The names of the checks that came to *verdict*."""
    return [each.check for each in outcomes if each.verdict is verdict]


async def test_an_extension_on_the_bare_stubs_conforms() -> None:
    """Nothing fails, and nothing is left out but what it does not have."""
    report = await check_extension(options())
    assert came_to(report.outcomes, Verdict.FAIL) == [], str(report)
    assert came_to(report.outcomes, Verdict.SKIP) == ["keeps-maps"], str(report)


async def test_the_sample_extension_conforms() -> None:
    """What is shipped passes all that applies to it."""
    report = await check_extension(Options(SAMPLE, parameters=(b"", b"\x01", b"\x02\x03")))
    assert came_to(report.outcomes, Verdict.FAIL) == [], str(report)
    skipped = came_to(report.outcomes, Verdict.SKIP)
    assert set(skipped) == {"refuses-bad-parameters", "keeps-maps"}


async def test_an_extension_of_several_hooks_is_checked_for_each() -> None:
    """All that it registers is waited for, and each hook runs a program of its own."""
    seen: list[Outcome] = []
    with tempfile.TemporaryDirectory() as folder:
        command_ = (sys.executable, two_hooks_extension.__file__)
        await check_real(Options(command_), Path(folder), seen.append)
    assert came_to(seen, Verdict.FAIL) == [], seen
    said = {each.check: each.reason for each in seen}
    assert said["takes-links"].startswith("3 links"), said
    for name in ("left", "right", "last"):
        assert name in said["is-taken-by-the-daemon"], said
        assert name in said["runs-programs"], said


async def test_a_failure_in_a_group_of_tasks_is_a_failed_check() -> None:
    """Under load others fire beside it; whatever they meet, the report goes on."""
    suite, seen = Suite[None](), list[Outcome]()

    @suite.check()
    async def falls(_: None) -> str:
        async with asyncio.TaskGroup():
            fail("it fell")

    @suite.check()
    async def stands(_: None) -> str:
        return "it stands"

    await suite.run(None, seen.append)
    assert [(each.verdict, each.reason) for each in seen] == [
        (Verdict.FAIL, "it fell"),
        (Verdict.PASS, "it stands"),
    ]


async def test_an_extension_without_hooks_is_checked_for_what_it_has() -> None:
    """Functions that programs import: they attach, die and come back, and nothing is fired."""
    script = Path(__file__).parents[1] / "e2e" / "function_extension.py"
    offers = ("8f6c1f83-ce4c-4b58-8b91-654a29e23b7c",)
    command_ = (sys.executable, str(script), "{address}")
    report = await check_extension(Options(command_, offers=offers))
    assert came_to(report.outcomes, Verdict.FAIL) == [], str(report)
    passed = set(came_to(report.outcomes, Verdict.PASS))
    assert passed >= {"attaches-and-detaches", "leaves-in-good-order", "comes-back"}
    assert {"takes-links", "runs-programs"}.isdisjoint(passed)


async def test_an_extension_of_map_types_is_checked_for_its_maps(tmp_path: Path) -> None:
    """Masked entries and plain ones."""
    script = Path(__file__).parents[1] / "e2e" / "map_extension.py"
    command_ = (sys.executable, str(script), str(tmp_path / "journal"), "{address}")
    report = await check_extension(Options(command_, offers=("masked", "plain")))
    assert came_to(report.outcomes, Verdict.FAIL) == [], str(report)
    assert {"keeps-maps", "comes-back"} <= set(came_to(report.outcomes, Verdict.PASS)), str(report)


@pytest.mark.parametrize(
    ("fault", "failing"),
    [
        ("silent", ["says-hello"]),
        ("wrong-version", ["says-hello"]),
        ("no-name", ["says-hello"]),
        ("no-instance", ["says-hello"]),
        ("speaks-first", ["keeps-the-protocol"]),
        ("promises-more", ["registers"]),
        ("mixed-up", ["registers"]),
        ("no-characteristics", ["registers"]),
        ("no-stream", ["opens-its-data-stream"]),
        ("attaches-anything", ["refuses-an-unknown-registration"]),
        ("misses-bindings", ["lets-go-of-an-unknown-binding"]),
        ("agrees-to-news", ["outlives-an-unknown-message"]),
        ("helps-anyway", ["fails-an-unknown-helper"]),
        ("serves-anything", ["fails-calls-that-are-not-for-it"]),
        ("fires-anything", ["refuses-a-fire-of-an-unknown-hook"]),
        ("refuses-links", ["attaches-and-detaches"]),
        ("takes-half-links", ["refuses-a-link-without-data"]),
        ("takes-two", ["keeps-its-attach-capability"]),
        ("lets-go-early", ["waits-for-what-is-in-flight"]),
        ("misreports", ["waits-for-what-is-in-flight"]),
        ("other-process", ["comes-back-as-itself"]),
        ("forgets", ["comes-back-as-itself"]),
        ("sulks", ["comes-back-as-itself", "leaves-in-good-order"]),
        ("does-not-wait", ["leaves-in-good-order"]),
        ("goes-on", ["leaves-in-good-order"]),
        ("answers-twice", ["keeps-the-protocol"]),
        ("one-call-id", ["keeps-the-protocol"]),
    ],
)
async def test_a_fault_on_the_wire_is_found(tmp_path: Path, fault: str, failing: list[str]) -> None:
    """By the check that is named for it."""
    outcomes: list[Outcome] = []
    await check_wire(options(fault), tmp_path, outcomes.append)
    assert came_to(outcomes, Verdict.FAIL) == failing, outcomes


async def test_an_invocation_after_detach_is_found(tmp_path: Path) -> None:
    """It names the binding."""
    outcomes: list[Outcome] = []
    await check_wire(options("invokes-later"), tmp_path, outcomes.append)
    (found,) = (each for each in outcomes if each.check == "waits-for-what-is-in-flight")
    assert found.verdict is Verdict.FAIL
    assert "after it had let go of it" in found.reason


async def test_one_that_dies_fails_what_follows_with_its_last_words(tmp_path: Path) -> None:
    """The first failure says why; what needs a living extension fails or is skipped."""
    outcomes: list[Outcome] = []
    await check_wire(options("dies-of-news"), tmp_path, outcomes.append)
    (first, *_) = (each for each in outcomes if each.verdict is Verdict.FAIL)
    assert first.check == "outlives-an-unknown-message"


@pytest.mark.parametrize(
    ("fault", "failing"),
    [
        ("bad-contract", ["is-taken-by-the-daemon"]),
        ("refuses-links", ["takes-links"]),
        ("takes-bad-parameters", ["refuses-bad-parameters"]),
        ("misreports", ["runs-programs"]),
        ("sulks", ["outlives-the-daemon"]),
    ],
)
async def test_a_fault_at_the_daemon_is_found(
    tmp_path: Path, fault: str, failing: list[str]
) -> None:
    """By the check that is named for it."""
    outcomes: list[Outcome] = []
    await check_real(options(fault), tmp_path, outcomes.append)
    assert came_to(outcomes, Verdict.FAIL) == failing, outcomes


@pytest.mark.parametrize(
    ("fault", "skipped"),
    [
        ("no-section", "takes-a-program"),
        ("runs-nothing", "runs-programs"),
        ("runs-nothing", "detaches-under-load"),
        ("ends-with-daemon", "outlives-the-daemon"),
    ],
)
async def test_what_does_not_apply_is_skipped(tmp_path: Path, fault: str, skipped: str) -> None:
    """With a reason, and it is no failure."""
    outcomes: list[Outcome] = []
    await check_real(options(fault), tmp_path, outcomes.append)
    assert came_to(outcomes, Verdict.FAIL) == [], outcomes
    (found,) = (each for each in outcomes if each.check == skipped)
    assert found.verdict is Verdict.SKIP
    assert found.reason


async def test_one_that_just_ends_is_a_lost_session_and_no_failure(tmp_path: Path) -> None:
    """The daemon copes with it, so that the extension need not."""
    outcomes: list[Outcome] = []
    await check_wire(options("just-ends"), tmp_path, outcomes.append)
    assert came_to(outcomes, Verdict.FAIL) == []
    assert came_to(outcomes, Verdict.SKIP) == ["leaves-in-good-order"]


async def test_the_command_reports_as_json_and_by_its_exit_code() -> None:
    """0 for an extension that conforms, with every check and its reason."""
    module = ("-m", "ebpfd_sdk.check")
    python = Path(sys.executable).name
    good = await command(python, *module, "-o", "json", "--", sys.executable, BARE)
    report = good.json()
    assert (good.code, report["conforms"], report["fail"]) == (0, True, 0)
    assert {"check", "verdict", "reason"} == set(report["checks"][0])

    bad = await command(python, *module, "--", sys.executable, BARE, "no-name")
    assert bad.code == 1
    assert "FAIL  says-hello" in bad.out
    assert "1 fail" in bad.out


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ([], "name a MODULE, or a COMMAND after --"),
        (["module", "--", "command"], "name a MODULE, or a COMMAND after --"),
        (["--parameter", "xy", "module"], "--parameter: xy is not hexadecimal"),
    ],
)
def test_what_cannot_be_checked_is_told(
    arguments: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """A wrong command line is exit code 2."""
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    assert ended.value.code == 2
    assert said in capsys.readouterr().err


def test_a_report_counts() -> None:
    """One failure is enough not to conform; skipped checks are none."""
    report = Report([Outcome("a", Verdict.PASS, ""), Outcome("b", Verdict.SKIP, "why")])
    assert (report.conforms, report.json()["skip"]) == (True, 1)
    assert [line.split() for line in str(report).splitlines()] == [
        ["PASS", "a"],
        ["SKIP", "b", "why"],
    ]
    report.outcomes.append(Outcome("c", Verdict.FAIL, "no"))
    assert (report.conforms, report.json()["fail"]) == (False, 1)


async def test_the_address_may_be_a_word_of_the_command() -> None:
    """For extensions that take it from nowhere else."""
    said = Options(command=("run", "--at={address}")).words("unix:/x")
    assert said == ("run", "--at=unix:/x")
