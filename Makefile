# `make test` is the one test command: it installs what it needs on Debian 12, and runs every check of the project.
# `make install` installs the C library, by PREFIX, LIBDIR, INCLUDEDIR and DESTDIR, which ffi/packaging/install gets from
# the environment; see README.md. `make help` lists what else there is: each target with a line of ## beside it.

CARGO ?= cargo
PYTHON ?= python3
export CARGO PYTHON

.PHONY: help test deps rust format lint docs docs-book no-std unit package interleavings project
.PHONY: install install-session uninstall uninstall-session library library-session testing-lib
.PHONY: cli install-cli uninstall-cli
.PHONY: installed packaging sizes abi abi-update check-cinstall c-tests cpp-tests c-examples
.PHONY: bench bench-smoke
.PHONY: fuzz fuzz-corpus fuzz-replay model load soak coverage coverage-raise
.PHONY: deny advisories semver sbom reproducible
.PHONY: tsan miri
.PHONY: test-networks python-toolchain python-wheel python-types python-testing python-versions python-tests python-docs bench-python python-lock
.PHONY: swift-toolchain test-swift example-swift
.PHONY: wasm-toolchain wasm node js-package test-js bench-js
.NOTPARALLEL:

help: ## this list
	@sed -nE 's/^([a-z][a-z-]*):.*## (.*)/  \1\t\2/p' Makefile | expand -t 22

# .ci/test knows the parts, and runs some at a time. `make PART` runs one.
test: deps ## sets up what is missing, and runs every check; TEST_JOBS=1 runs one part at a time
	.ci/test

deps: ## installs what the tests need, on Debian 12
	.ci/deps
	bindings/swift/toolchain install '$(SWIFT_TOOLCHAIN)' || [ $$? = 3 ]
	bindings/js/toolchain install '$(WASM_TOOLCHAIN)' || [ $$? = 3 ]
	bindings/js/node-toolchain install '$(NODE_TOOLCHAIN)' || [ $$? = 3 ]
	bindings/python/toolchain install '$(PYTHON_TOOLCHAIN)' || [ $$? = 3 ]

rust:
	@.ci/rust

format: rust ## formatting
	$(CARGO) fmt --all --check
	$(CARGO) fmt --manifest-path core/no-std-check/Cargo.toml --check
	$(CARGO) fmt --manifest-path ffi/tests/packaging/second/Cargo.toml --check
	$(CARGO) fmt --manifest-path fuzz/Cargo.toml --check

lint: rust ## clippy
	$(CARGO) clippy --locked --workspace --all-targets --all-features -- -D warnings
	$(CARGO) clippy --locked --workspace --exclude chatnio-ffi --no-default-features -- -D warnings
	$(CARGO) clippy --locked -p chatnio-ffi --no-default-features --features session -- -D warnings
	$(CARGO) clippy --locked -p chatnio-ffi --no-default-features --features connection -- -D warnings
	$(CARGO) clippy --locked -p chatnio-ffi --no-default-features --features rest -- -D warnings
	RUSTC_WORKSPACE_WRAPPER='$(CURDIR)/tests/lint/omitted' $(CARGO) check --locked --workspace --lib --examples --all-features

docs: rust ## rustdoc
	RUSTDOCFLAGS="-D warnings" $(CARGO) doc --locked --workspace --no-deps

docs-book: rust ## the pages as a book, in target/book/book (builds mdBook once; not part of test)
	docs/build

# The core as a static library with a panic handler of its own: with std anywhere in its tree it would not build.
no-std: rust ## the core without std
	$(CARGO) build --locked --manifest-path core/no-std-check/Cargo.toml --target-dir target/no-std-check

# One choice of crates and features for what is built for development. By another one Cargo would build the dependencies with
# other features, and so once more.
EVERYTHING = --locked --workspace --features chatnio-tokio/rest
# Which tests the pages name, and whether they were among those that ran.
LIST = $(CARGO) test $(EVERYTHING) --lib --bins --tests -- --list
unit: rust ## the tests of all crates, and the fuzzers' corpora
	$(CARGO) test $(EVERYTHING)
	@mkdir -p target
	$(LIST) >target/listed 2>&1 || { cat target/listed; exit 1; }
	$(PYTHON) -B tests/project/listed.py <target/listed
	$(LIST) --ignored >target/ignored 2>&1 || { cat target/ignored; exit 1; }
	$(PYTHON) -B tests/project/listed.py --ignored <target/ignored

PUBLISHED = chatnio-core chatnio-loopback chatnio chatnio-tokio chatnio-cli
package: rust ## the crates that can be published, each packed and checked from that alone
	tests/supply/package $(PUBLISHED)

# The client and its stoppers in thousands of schedules, over models of the mutex and the socket. The command line, which has no
# library, is named for its features: by them the dependencies are those of `unit`.
interleavings: rust ## thousands of schedules of the client and its stoppers
	RUSTC_WORKSPACE_WRAPPER='$(CURDIR)/tests/interleavings/shuttle' $(CARGO) test --locked -p chatnio -p chatnio-cli --lib interleavings

# `make unit` plays 1500 cases of each kind of server; this, as many as are asked for.
CASES = 100000
FIRST = 0
model: rust ## plays a session against models of its servers: CASES=1000000, by default 100000 of each kind (not part of test)
	MODEL_CASES='$(CASES)' MODEL_FIRST='$(FIRST)' $(CARGO) test --locked --profile model -p chatnio-loopback --test model -- --nocapture

# `make unit` does it with 40 connections; this, with as many as are asked for: tokio/tests/load.rs has all of it.
CONNECTIONS = 1000
ASKS = 25
ROUNDS = 4
load: rust ## many connections against a server in another process: CONNECTIONS=1000 ROUNDS=4 ASKS=25 (not part of test)
	LOAD_CONNECTIONS='$(CONNECTIONS)' LOAD_ASKS='$(ASKS)' LOAD_ROUNDS='$(ROUNDS)' $(LOAD)
soak: rust ## the same with 100 connections for TIME=60 seconds (not part of test)
	LOAD_CONNECTIONS=100 LOAD_ASKS=20 LOAD_SECONDS='$(TIME)' $(LOAD)
LOAD = $(CARGO) test --locked --profile model -p chatnio-tokio --test load -- --nocapture

# Fuzzing: see fuzz/README.md. TIME is that of each target, in seconds; TARGET is one of them, and by default all.
TIME = 60
fuzz: rust ## fuzzes: TIME=600 RUNS=10000000 TARGET=frame, by default a minute each (not part of test)
	TIME='$(TIME)' RUNS='$(RUNS)' fuzz/run $(TARGET)

fuzz-corpus: rust ## fuzzes, and commits to the fewest inputs that reach what is reached
	TIME='$(TIME)' fuzz/run --corpus $(TARGET)

fuzz-replay: rust ## plays the committed corpora, without a fuzzer
	$(CARGO) test $(EVERYTHING) --test replay

# What comes from elsewhere: deny.toml says what may.
deny: rust ## the crates' licences, sources and doubles
	tests/supply/deny

advisories: rust ## what is known against the crates today: by a database on GitHub, or ADVISORY_DB=FOLDER (not part of test)
	tests/supply/deny advisories

semver: rust ## whether the crates' APIs still are what they were: BASELINE=REV, by default the last release (not part of test)
	tests/supply/semver $(BASELINE)

sbom: rust ## writes what each part is made of, as CycloneDX: in target/sbom, and what is installed with the C library (not part of test)
	tests/supply/sbom

reproducible: rust target/python/venv/made ## builds the C library and the wheel twice, in two folders, and compares (slow; not part of test)
	tests/supply/reproducible $(IN_VENV)

# Slow: builds the library and Rust's standard library once more. Of Rust's tests not those of one thread that compute much, nor
# those that run programs which are built elsewhere, nor those that want a library at its usual speed: one that is timed, and the
# table of faults with its floods, which C and C++ have.
tsan: rust ## C's, C++'s and Rust's threads under ThreadSanitizer, with the library (slow; not part of test)
	ffi/tests/c/run tsan-rust
	ffi/tests/cpp/run tsan-rust
	tests/sanitizers/tsan test --profile testing -p chatnio -p chatnio-tokio --features chatnio-tokio/rest --lib \
	  --test client --test load --test passed_on --test secrets -- --skip connection::tests::transcripts --skip examples --skip silent_address

# By the nightly compiler: `rustup toolchain install nightly --component miri --component rust-src`. The corpus is a file.
MIRI = MIRIFLAGS='-Zmiri-disable-isolation' $(CARGO) +nightly miri test --locked --target-dir target/miri
miri: rust ## the core's tests and a part of the C library's corpus under Miri, a quarter of an hour (not part of test)
	PROPTEST_CASES=4 $(MIRI) -p chatnio-core --lib
	$(MIRI) -p chatnio-fuzz --test replay -- every_input --nocapture

# CI runs it before the test, which is to be quick: it builds all crates once more.
coverage: rust ## which lines, regions and branches the tests reach, by crate: fails below the floor of tests/coverage/floor.tsv (on CI, not part of test)
	env --default-signal=INT,HUP,PIPE,QUIT tests/coverage/run
coverage-raise: rust ## raises that floor to what is reached
	env --default-signal=INT,HUP,PIPE,QUIT tests/coverage/run --raise

# This page's and the guides' words: paths, targets, links, programs and figures that are really there.
project: ## checks what the pages say
	$(PYTHON) -B -m unittest discover -q -s tests/project

# The C library.

install: library ## installs the C library: PREFIX, LIBDIR, INCLUDEDIR, DESTDIR
	ffi/packaging/install chatnio target/library

uninstall: ## removes it again
	ffi/packaging/install --remove chatnio

# The message level alone, as libchatnio-session: see ffi/README.md, "Levels that are left out".
install-session: library-session ## installs the message level alone, as libchatnio-session
	ffi/packaging/install chatnio-session target/library-session

uninstall-session:
	ffi/packaging/install --remove chatnio-session

# `sudo make install` finds no cargo, as a rule: then what was built before is installed.
ifeq ($(shell command -v $(CARGO) 2>/dev/null),)
library library-session: %: target/%/prelinked/libchatnio.a
target/%/prelinked/libchatnio.a:
	@echo "$(CARGO) is not found: let somebody who has it run 'make $*' first" >&2; exit 1
else
# In target/library: as it is installed. What the archive must be linked with, only rustc knows.
SYMBOLS = $(if $(DEBUG_SYMBOLS),--config profile.library.debug='"line-tables-only"' --config profile.library.strip='"none"')
library: rust ## builds the C library, in target/library; DEBUG_SYMBOLS=1 with lines for debuggers
	ffi/packaging/cargo rustc --locked -p chatnio-ffi --target-dir target --profile library $(SYMBOLS) \
	  -- --print native-static-libs='$(CURDIR)/target/library/native-static-libs'
	ffi/packaging/prelink target/library/libchatnio.a target/library/prelinked/libchatnio.a

library-session: rust ## builds the message level alone
	ffi/packaging/cargo rustc --locked -p chatnio-ffi --target-dir target --profile library-session $(SYMBOLS) \
	  --no-default-features --features session \
	  -- --print native-static-libs='$(CURDIR)/target/library-session/native-static-libs'
	ffi/packaging/prelink target/library-session/libchatnio.a target/library-session/prelinked/libchatnio.a
endif

# The command line, with its manual pages and the completions of bash, zsh and fish.
ifeq ($(shell command -v $(CARGO) 2>/dev/null),)
target/release/chatnio:
	@echo "$(CARGO) is not found: let somebody who has it run 'make cli' first" >&2; exit 1
cli: target/release/chatnio
else
cli: rust ## builds the command line, in target/release
	ffi/packaging/cargo build --locked --release -p chatnio-cli --target-dir target
endif

install-cli: cli ## installs it, with manual pages and completions
	cli/install target/release/chatnio

uninstall-cli: ## removes it again
	cli/install --remove

# In target/testing: with the feature `testing`, for tests alone.
testing-lib: rust ## builds the C library for tests, in target/testing
	$(CARGO) build --locked -p chatnio-ffi --target-dir target --profile testing --features testing
	ffi/packaging/prelink target/testing/libchatnio.a target/testing/prelinked/libchatnio.a

# In target/installed: both libraries, for the tests to find. Nothing is done where nothing has changed, since parts that run
# side by side read it.
INSTALLED = $(CURDIR)/target/installed
installed: library library-session ## installs both libraries in target/installed, for the tests
	@$(MAKE) -s --no-print-directory target/installed.made
target/installed.made: $(foreach built,library library-session,target/$(built)/libchatnio.so target/$(built)/prelinked/libchatnio.a) \
  $(wildcard ffi/include/* ffi/packaging/* examples/c/*.c) ffi/README.md docs/protocol.md
	rm -rf '$(INSTALLED)'
	PREFIX='$(INSTALLED)' ffi/packaging/install chatnio target/library
	PREFIX='$(INSTALLED)' ffi/packaging/install chatnio-session target/library-session
	touch $@

packaging: installed testing-lib sizes ## what is installed, as those see it who link it
	ffi/tests/packaging/run
	$(PYTHON) -B tests/supply/library_sbom.py check

sizes: installed
	ffi/packaging/sizes '$(INSTALLED)/lib'

# Compares the library's ABI with the one that is committed; `abi-update` commits to a new one.
abi: rust ## compares the C ABI with the committed one
	$(CARGO) build --locked -p chatnio-cli -p chatnio-ffi --target-dir target
	ffi/abi/check target/debug/libchatnio.so

abi-update: ## commits to a new one
	$(CARGO) build --locked -p chatnio-cli -p chatnio-ffi --target-dir target
	ffi/abi/check --update target/debug/libchatnio.so

# Slow: builds cargo-c (once) and the library by it. Not part of `test`.
check-cinstall: installed ## the library by cargo-c (slow; not part of test)
	ffi/packaging/check-cinstall

c-tests: rust ## the C library in C: plain, sanitizers, valgrind
	ffi/tests/c/run

cpp-tests: rust ## the C++ header
	ffi/tests/cpp/run

c-examples: installed ## the examples in C
	examples/c/test

# Python.

# What the tests need, at the versions of requirements/test.txt, and the wheel itself.
VENV = target/python/venv
IN_VENV = '$(CURDIR)/$(VENV)/bin/python'

$(VENV)/made: bindings/python/requirements/test.txt
	rm -rf $(VENV)
	$(PYTHON) -m venv $(VENV)
	$(IN_VENV) -m pip install -q --disable-pip-version-check --no-deps -r $<
	touch $@

# The wheel is built from the source distribution, in a folder of its own, and again only where something has changed.
WHEEL = target/python/dist/made
WHEEL_OF = $(shell find Cargo.toml Cargo.lock README.md core transport loopback cli ffi tokio benches fuzz/bodies fuzz/ffi examples/rust bindings/python/native \
  bindings/python/src bindings/python/setup.py bindings/python/pyproject.toml bindings/python/README.md -type f \
  -not -path '*/target/*' -not -name '*.so' -not -name '*.pyc' -not -path '*/bin/chatnio' -not -name _native.c -not -path '*.egg-info/*')
python-wheel: rust $(WHEEL) ## builds the wheel, in target/python/dist
$(WHEEL): $(VENV)/made $(WHEEL_OF) bindings/python/check-wheel
	rm -rf target/python/dist
	CARGO_TARGET_DIR='$(CURDIR)/target' $(IN_VENV) -m build --no-isolation -o target/python/dist bindings/python
	bindings/python/check-wheel $(IN_VENV) target/python/dist/*-linux_*.whl target/python/dist
	$(IN_VENV) -m pip install -q --disable-pip-version-check --no-deps --force-reinstall target/python/dist/*-manylinux_*.whl
	touch $@

python-types: $(VENV)/made ## mypy and pyright
	cd bindings/python && $(IN_VENV) -m mypy
	cd bindings/python && $(IN_VENV) -m pyright --pythonpath $(IN_VENV)
	cd bindings/python && PYTHONPATH=src $(IN_VENV) -m pyright --pythonpath $(IN_VENV) --verifytypes pychatnio --ignoreexternal

python-testing: python-wheel ## the package over the C library for tests
	cd bindings/python && PYCHATNIO_TESTING=1 CARGO_TARGET_DIR='$(CURDIR)/target' $(IN_VENV) setup.py -q \
	  build --build-base ../../target/python/testing-build --build-lib ../../target/python/testing
	cd bindings/python && PYTHONPATH=../../target/python/testing $(IN_VENV) -X dev -W error -m pytest -p no:cacheprovider tests/testing_build

# Outside of this checkout, so that the next one finds it.
PYTHON_TOOLCHAIN = $(HOME)/.cache/chatnio/python

python-toolchain:
	bindings/python/toolchain install '$(PYTHON_TOOLCHAIN)'

python-versions: python-wheel ## the package by every other CPython from 3.10 that is here
	bindings/python/test-versions $(IN_VENV) '$(CURDIR)'/target/python/dist/*-manylinux_*.whl '$(CURDIR)/target/python/versions' '$(PYTHON_TOOLCHAIN)'

python-tests: python-wheel ## the tests of the package
	cd bindings/python && $(IN_VENV) -X dev -W error -m pytest

# Through nginx, haproxy, caddy, tinyproxy and microsocks, in Rust, C and Python.
test-networks: python-wheel ## through real gateways and proxies
	$(CARGO) build --locked -p chatnio-cli -p chatnio-ffi --target-dir target
	tests/networks/run '$(CURDIR)/target/debug/chatnio' '$(CURDIR)/target/debug' $(IN_VENV)

# The API reference, in target/python/docs.
python-docs: python-wheel ## the API reference, in target/python/docs
	$(IN_VENV) -m pdoc --docformat google -o target/python/docs pychatnio

# What the package is compared with, at the versions of requirements/bench.txt.
target/python/bench-venv/made: bindings/python/requirements/bench.txt
	rm -rf target/python/bench-venv
	$(PYTHON) -m venv target/python/bench-venv
	target/python/bench-venv/bin/python -m pip install -q --disable-pip-version-check --no-deps -r $<
	touch $@

bench-python: python-wheel target/python/bench-venv/made
	$(IN_VENV) bindings/python/bench/compare.py --peer target/python/bench-venv/bin/python

# Benches: see benches/README.md.

# Measures everything, and writes benches/RESULTS.md. Nothing else should run meanwhile.
bench: installed python-wheel target/python/bench-venv/made ## measures everything
	benches/programs '$(CURDIR)/target/benches' '$(INSTALLED)'
	$(CARGO) build --locked --release -p chatnio-benches --target-dir target
	target/release/chatnio-bench run --python $(IN_VENV) --peer-python target/python/bench-venv/bin/python

# Everything once, in a small size: whether it runs, not how fast.
bench-smoke: installed ## every bench once, in a small size
	benches/programs '$(CURDIR)/target/benches' '$(INSTALLED)'
	$(CARGO) build $(EVERYTHING) --bins --examples --target-dir target
	target/debug/chatnio-bench run --smoke >target/benches/smoke.md

# Pins what the .in files ask for anew.
python-lock: $(VENV)/made ## pins the Python tools anew, by CPython 3.10
	for of in test bench; do \
	  $(IN_VENV) -m piptools compile -q --strip-extras --allow-unsafe --no-header --no-emit-index-url --no-emit-find-links \
	    --no-annotate --upgrade bindings/python/requirements/$$of.in -o bindings/python/requirements/$$of.txt; \
	done

# The Swift package.

# Outside of this checkout, so that the next one finds it.
SWIFT_TOOLCHAIN = $(HOME)/.cache/chatnio/swift-6.0.3

swift-toolchain:
	bindings/swift/toolchain install '$(SWIFT_TOOLCHAIN)'

test-swift: installed testing-lib ## the Swift package
	SWIFT_TOOLCHAIN='$(SWIFT_TOOLCHAIN)' bindings/swift/test

example-swift: installed ## the examples in Swift
	SWIFT_TOOLCHAIN='$(SWIFT_TOOLCHAIN)' examples/swift/test

# The JavaScript package, and the WebAssembly module in it.

# Outside of this checkout, as Swift's.
WASM_TOOLCHAIN = $(HOME)/.cache/chatnio/rust-web

NODE_TOOLCHAIN = $(HOME)/.cache/chatnio/node
# Where a recipe needs Node.
WITH_NODE = PATH="$$(bindings/js/node-toolchain path '$(NODE_TOOLCHAIN)')"

wasm-toolchain:
	bindings/js/toolchain install '$(WASM_TOOLCHAIN)'

# In target/js: chatnio.wasm and rest.wasm.
wasm: rust wasm-toolchain
	WASM_TOOLCHAIN='$(WASM_TOOLCHAIN)' bindings/js/build-wasm

node:
	@bindings/js/node-toolchain install '$(NODE_TOOLCHAIN)' || [ $$? = 3 ]
	@$(WITH_NODE) bindings/js/check-node

# In bindings/js/dist: what `npm install ./bindings/js` takes.
js-package: node wasm ## builds the npm package, in bindings/js/dist
	$(WITH_NODE) bindings/js/build

test-js: rust ## the JavaScript package, in Node and Chromium
	WASM_TOOLCHAIN='$(WASM_TOOLCHAIN)' NODE_TOOLCHAIN='$(NODE_TOOLCHAIN)' bindings/js/test

# What the package is compared with, at the version of bench/package-lock.json.
bench-js: js-package ## the JavaScript package against its peer
	$(WITH_NODE); cd bindings/js/bench && npm ci --loglevel=error --no-audit --no-fund --ignore-scripts >/dev/null && node compare.mjs
