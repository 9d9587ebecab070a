"""Tokens: whom each stands for, and when it ends."""

from hypothesis import settings, strategies
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from ebpfd.host import peers
from ebpfd.host.peers import TOKEN_S, Process, Tokens

PIDS = strategies.integers(0, 3)


class Life(RuleBasedStateMachine):
    """Any order of what may happen, against a list of all that was ever given."""

    @initialize()
    def begin(self) -> None:
        """No token, at some time."""
        self.now_s = 1000.0
        self.tokens = Tokens(lambda: self.now_s)
        self.given: dict[str, tuple[Process, float]] = {}

    @rule(pid=PIDS, uid=strategies.integers(0, 1))
    def give(self, pid: int, uid: int) -> None:
        """Each token is a new one."""
        process = Process(pid, uid, 0)
        token = self.tokens.give(process)
        assert token not in self.given
        assert len(token) >= 43  # 256 bits
        self.given[token] = (process, self.now_s + TOKEN_S)

    @rule(seconds=strategies.sampled_from([1.0, TOKEN_S / 2, TOKEN_S]))
    def wait(self, seconds: float) -> None:
        """Time goes on."""
        self.now_s += seconds

    @rule(pid=PIDS)
    def end(self, pid: int) -> None:
        """What a process had ends with it, for the next one may have its pid."""
        self.tokens.ended(pid)
        for token, (process, _) in self.given.items():
            if process.pid == pid:
                self.given[token] = process, 0.0

    @invariant()
    def stand_for_their_processes(self) -> None:
        """Those that have not ended; nothing else does."""
        for token, (process, ends_s) in self.given.items():
            assert self.tokens.find(token) == (process if ends_s > self.now_s else None)
            assert self.tokens.find(token[:-1]) is None
        assert self.tokens.find("") is None


Life.TestCase.settings = settings(max_examples=50, stateful_step_count=20, deadline=None)
TestLife = Life.TestCase


def test_the_oldest_makes_room() -> None:
    """Whoever asks and asks does not fill the daemon's memory."""
    tokens = Tokens(lambda: 0.0)
    last = first = tokens.give(Process(1, 0, 0))
    for _ in range(peers.MAX_TOKENS):
        last = tokens.give(Process(2, 0, 0))
    assert len(tokens) == peers.MAX_TOKENS
    assert tokens.find(first) is None
    assert tokens.find(last) == Process(2, 0, 0)


def test_who_has_the_most_makes_room() -> None:
    """However many processes of his ask, others keep what they have."""
    tokens = Tokens(lambda: 0.0)
    few = [tokens.give(Process(1, 1, 1)) for _ in range(3)]
    many = [tokens.give(Process(pid, 2, 2)) for pid in range(peers.MAX_TOKENS)]
    assert len(tokens) == peers.MAX_TOKENS
    assert [tokens.find(each) for each in few] == [Process(1, 1, 1)] * 3
    assert [tokens.find(each) for each in many[:4]] == [None] * 3 + [Process(3, 2, 2)]


def test_what_has_ended_is_forgotten() -> None:
    """When somebody asks for the next one."""
    now_s = 0.0
    tokens = Tokens(lambda: now_s)
    for _ in range(10):
        tokens.give(Process(1, 0, 0))
    now_s = TOKEN_S
    tokens.give(Process(2, 0, 0))
    assert len(tokens) == 1
