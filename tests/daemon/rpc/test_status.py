"""How errors and rejections stand on the wire."""

from ebpfd.host import verification_frames as frames
from ebpfd.host.loading import JudgedProgram
from ebpfd.rpc.status import rejection
from ebpfd_api.v1 import status_pb2 as pb
from ebpfd_vm import parse_object
from tests.daemon.contracts.samples import SAMPLE
from tests.daemon.host.world import object_file

HERE = frames.Source(file="drop.c", line=9, column=3, text="return p[0];")
EXPLANATION = frames.Explanation(
    kind="past-data",
    obligation="the packet has 1 byte",
    fact="no byte is proved to exist",
    proof="the check at line 7 is for fewer bytes",
    path=[
        frames.PathStep(
            "branch", 1, HERE, "r1 is not NULL", taken=True, next_pc=3, next=HERE, times=2
        ),
        frames.PathStep("newer", 2),
    ],
    registers=[(1, "points to the packet")],
    history=[frames.RegisterEvent("written", 0, HERE, "r1 is data"), frames.RegisterEvent("?", 4)],
    witness=frames.Witness(b"c", b"d", 1, ["random"], "it is stopped", 3, 31),
)


def judged(refused: frames.Rejection | None) -> JudgedProgram:
    """A program of the sample with this verdict."""
    (spec,) = parse_object(object_file("count.o")).programs
    return JudgedProgram(spec, SAMPLE, frames.Verdict(judge="fake", rejection=refused))


def test_an_explanation_is_on_the_wire_whole() -> None:
    """Every field; words that this release does not know are unspecified."""
    refused = frames.Rejection("may be shorter", 0, "r0 = 1", "check", "more", HERE, EXPLANATION)
    here = pb.SourceLine(file="drop.c", line=9, column=3, text="return p[0];")
    assert rejection(judged(refused)) == pb.Rejection(
        program="count_by_protocol",
        section="sample_ext",
        judge="fake",
        pc=0,
        instruction="r0 = 1",
        reason="may be shorter",
        hint="check",
        detail="more",
        source=here,
        kind="past-data",
        obligation="the packet has 1 byte",
        fact="no byte is proved to exist",
        proof="the check at line 7 is for fewer bytes",
        path=[
            pb.PathStep(
                way=pb.WAY_BRANCH,
                pc=1,
                source=here,
                text="r1 is not NULL",
                taken=True,
                next_pc=3,
                next=here,
                times=2,
            ),
            pb.PathStep(pc=2, times=1),
        ],
        registers=[pb.RegisterFact(register=1, text="points to the packet")],
        history=[
            pb.RegisterEvent(change=pb.REGISTER_CHANGE_WRITTEN, source=here, text="r1 is data"),
            pb.RegisterEvent(pc=4),
        ],
        witness=pb.Witness(
            context=b"c",
            data=b"d",
            meta_length=1,
            notes=["random"],
            outcome="it is stopped",
            pc=3,
            code=31,
        ),
    )


def test_what_is_not_known_is_absent() -> None:
    """No place and no explanation; of an accepted program nothing but its name."""
    bare = rejection(judged(frames.Rejection("too deep")))
    assert not bare.HasField("pc")
    assert not bare.HasField("source")
    assert not bare.HasField("witness")
    assert (bare.reason, bare.kind) == ("too deep", "")
    accepted = pb.Rejection(program="count_by_protocol", section="sample_ext", judge="fake")
    assert rejection(judged(None)) == accepted
