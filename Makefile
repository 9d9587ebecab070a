# `make demo` and `make test` need only Python 3.11+ with venv and cargo with Rust 1.95+;
# uv, which does the rest, is fetched into .tools when it is missing.
UV := $(shell command -v uv >/dev/null 2>&1 && uv --version >/dev/null 2>&1 && command -v uv || echo .tools/bin/uv)
RUN := $(UV) run --quiet --all-packages --all-extras
SAMPLE := extensions/ebpfd_extensions/sample/programs
CONTRACTS := extensions/ebpfd_extensions/contracts
ENGINE := --manifest-path daemon/vm/Cargo.toml --locked

.PHONY: demo test check check-programs lock programs proto released

demo: $(UV)
	@test -d .venv || { echo "first run: building the engine, which takes a few minutes"; \
	    $(UV) sync --all-packages --all-extras; }
	@$(RUN) ebpfd demo

test: $(UV)
	$(RUN) pytest

check: $(UV)
	$(RUN) ruff check .
	$(RUN) ruff format --check .
	$(RUN) mypy
	$(RUN) pyright --project pyproject.toml
	$(RUN) lint-imports
	$(RUN) buf lint proto
	$(RUN) buf breaking proto --against proto/released.binpb
	$(RUN) python proto/generate.py --check
	$(RUN) codespell
	cargo fmt --manifest-path daemon/vm/Cargo.toml --check
	cargo fmt --manifest-path tests/bench/vm_crate/Cargo.toml --check
	cargo clippy $(ENGINE) --all-targets -- -D warnings
	cargo clippy $(ENGINE) --all-targets --no-default-features -- -D warnings
	cargo test $(ENGINE) --no-default-features --quiet

# Writes the exact pins of every dependency, transitive ones too, into pyproject.toml.
lock: $(UV)
	$(UV) run --no-project python deploy/lock.py $(UV)

proto: $(UV)
	$(RUN) python proto/generate.py

# What has been released: `make check` refuses a protocol that others of it would not understand.
released: $(UV)
	$(RUN) buf build proto --exclude-source-info -o proto/released.binpb

# Needs clang (or clang-NN); the objects are committed, so only a changed .c asks for it.
programs:
	@for folder in $(SAMPLE) $(CONTRACTS)/programs tests/bench/programs tests/e2e/programs tests/readme; do \
	    $(MAKE) --no-print-directory -C $$folder -f $(CURDIR)/$(SAMPLE)/Makefile || exit 1; \
	done
	@$(MAKE) --no-print-directory -C tests/verifier

# Whether the committed objects are what their sources give, as far as their compilers are here.
check-programs: $(UV)
	$(RUN) python deploy/check_programs.py

.tools/bin/uv:
	python3 -m venv .tools
	.tools/bin/pip install --quiet --disable-pip-version-check uv==0.13.9
