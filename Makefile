# Every check of the project. `make test` is the one test command; `make deps` installs what it needs on Debian 12.

CARGO ?= cargo

.PHONY: test format lint docs no-std unit deps
.NOTPARALLEL:

# The tests come last, so that their closing lines end the output.
test: format lint docs no-std unit

format:
	$(CARGO) fmt --all --check
	$(CARGO) fmt --manifest-path core/no-std-check/Cargo.toml --check

lint:
	$(CARGO) clippy --locked --workspace --all-targets --all-features -- -D warnings
	$(CARGO) clippy --locked --workspace --no-default-features -- -D warnings

docs:
	RUSTDOCFLAGS="-D warnings" $(CARGO) doc --locked --workspace --no-deps

# The core as a static library with a panic handler of its own: with std anywhere in its tree it would not build.
no-std:
	$(CARGO) build --locked --manifest-path core/no-std-check/Cargo.toml --target-dir target/no-std-check

unit:
	$(CARGO) test --locked --workspace

deps:
	./.ci/deps
