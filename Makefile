# One target per check. CI and the README call only these.
#
# Every target works from a clean clone: what it needs beyond Rust (stable and nightly, by rustup),
# a C and C++ compiler, Python 3.11 with pip, and make, it installs, or says how.

SHELL := bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory

TARGET := $(or $(CARGO_TARGET_DIR),$(CURDIR)/target)
HOST = $(shell rustc -vV | sed -n 's/^host: //p')
PYTHON := .venv/bin/python
VENV := .venv/pyvenv.cfg
CORPUS ?=
FUZZ_SECONDS ?= 20
PREEMPTIONS ?= 2

.PHONY: help
help: ## Show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' Makefile

# --- Every day ------------------------------------------------------------------------------------

.PHONY: check
check: check-rust check-python docs-c ## Formatting, lints, documentation, house rules, C header

.PHONY: check-rust
check-rust:
	cargo fmt --all --check
	cargo fmt --manifest-path fuzz/Cargo.toml --check
	cargo clippy --workspace --all-targets -- -D warnings
	cargo clippy -p rkv --all-targets -- -D warnings
	RUSTDOCFLAGS="-D warnings" cargo doc --workspace --no-deps
	cargo test -q -p rkv --test tidy
	cargo test -q -p rkv-ffi-c --test it header::

.PHONY: check-python
check-python: $(VENV)
	cd py && ../.venv/bin/ruff check -q && ../.venv/bin/ruff format -q --check
	.venv/bin/ruff check -q --config py/pyproject.toml demo benches/python
	.venv/bin/ruff format -q --check --config py/pyproject.toml demo benches/python

.PHONY: test
test: test-rust test-python test-wheel test-demo ## All tests that need neither nightly nor loom

.PHONY: test-rust
# Without mimalloc, into which neither valgrind nor a test that refuses memory can see; then what
# is delivered, with it.
test-rust: valgrind clang cmake pkg-config # Engine, C face, models, workloads of the benches
	cargo test --no-default-features
	cargo test -q -p rkv --features mimalloc --lib memory::
	$(MAKE) lib
	LIBKV_DIR=$(TARGET)/release cargo test -q --no-default-features -p rkv-ffi-c --test it
	cargo test -p rkv-benches --lib
	cargo run -q -p rkv --example quickstart

.PHONY: test-python
test-python: $(VENV) # The Python face, in .venv
	VIRTUAL_ENV=$(CURDIR)/.venv .venv/bin/maturin develop -q -m py/Cargo.toml
	cd py && ../$(PYTHON) -m pytest -q
	$(MAKE) docs-python

.PHONY: test-demo
test-demo: $(VENV) # The demo, on the sources of the engine
	demo/run core

.PHONY: demo
demo: $(VENV) ## Count the words of a text in four languages: make demo [CORPUS=folder]
	@demo/run $(if $(CORPUS),"$(CORPUS)")

.PHONY: py
py: $(VENV) ## Install the Python package, optimised, into .venv
	VIRTUAL_ENV=$(CURDIR)/.venv .venv/bin/maturin develop -q --release -m py/Cargo.toml

.PHONY: wheel
wheel: $(VENV) ## Build the Python package as a wheel for CPython 3.11 and later, into dist/
	rm -f dist/rkv-*.whl
	.venv/bin/maturin build -q --release --features abi3 -m py/Cargo.toml --out dist

.PHONY: test-wheel
# No index: what the wheel needs beside Python is in it.
test-wheel: wheel # The wheel, from an environment that has nothing else; then all tests there
	rm -rf $(TARGET)/wheel
	python3 -m venv $(TARGET)/wheel
	$(TARGET)/wheel/bin/python -m pip install -q --no-index --no-deps dist/rkv-*.whl
	cd $(TARGET)/wheel && bin/python -W error -m rkv
	cd $(TARGET)/wheel && bin/python -W error $(CURDIR)/py/examples/quickstart.py
	$(TARGET)/wheel/bin/python -m pip install -q -r py/requirements-dev.txt
	cd py && $(TARGET)/wheel/bin/python -m pytest -q

.PHONY: py-freethreaded
py-freethreaded: ## Run the Python tests on a CPython without the global interpreter lock
	py/freethreaded/run

.PHONY: docs-python
docs-python: $(VENV) # The reference of the Python package, in target/pdoc
	$(PYTHON) -W error -m pdoc rkv -o $(TARGET)/pdoc

.PHONY: lib
lib: ## Build libkv.so and libkv.a, optimised
	cargo build --release -p rkv-ffi-c

.PHONY: install uninstall
# Who may write to the system's folders often has no cargo: with LIBKV_DIR nothing is built. What
# else can be chosen stands in the script; make hands it what the command line sets.
install: $(if $(LIBKV_DIR),,lib) ## Install libkv: make install [PREFIX=/usr/local] [DESTDIR=]
	@LIBKV_DIR="$(or $(LIBKV_DIR),$(TARGET)/release)" ffi-c/install/run install

uninstall: ## Take away what `make install` with the same folders put there
	@ffi-c/install/run uninstall

.PHONY: header
header: ## Write include/kv.h anew from the Rust source
	UPDATE=1 cargo test -q -p rkv-ffi-c --test it header::

.PHONY: docs-c
docs-c: doxygen ## Make pages of include/kv.h and kv.hpp, in target/doxygen
	mkdir -p $(TARGET)/doxygen
	{ cat ffi-c/Doxyfile && echo "OUTPUT_DIRECTORY = $(TARGET)/doxygen"; } | doxygen -

.PHONY: readme
readme: ## Put the four quickstart programs into the README anew
	UPDATE=1 cargo test -q -p rkv --test readme

# --- Proof ----------------------------------------------------------------------------------------

.PHONY: model
model: ## Explore the models of the protocol, exhaustively
	cargo run --release -p rkv-models

LOOM_FLAGS := --cfg rkv_loom --cfg crossbeam_loom --cfg crossbeam_sanitize -C debug-assertions=on

.PHONY: loom
loom: ## Run the models of the real code under loom: make loom [PREEMPTIONS=2]
	RUSTFLAGS="$(LOOM_FLAGS)" LOOM_MAX_BRANCHES=100000 LOOM_MAX_PREEMPTIONS=$(PREEMPTIONS) \
		CARGO_TARGET_DIR=$(TARGET)/loom \
		cargo test -p rkv --lib --profile loom models:: -- --test-threads=1 --nocapture
	RUSTFLAGS="--cfg rkv_loom" CARGO_TARGET_DIR=$(TARGET)/loom \
		cargo test -p rkv-ffi-c --test slot_model --test free_model --profile loom

.PHONY: miri
# crossbeam-epoch turns numbers into pointers, so only the table keeps strict provenance.
miri: export CARGO_TARGET_DIR = $(TARGET)/miri
miri: nightly ## Run the tests inside the engine under Miri
	MIRIFLAGS="-Zmiri-strict-provenance" \
		cargo +nightly miri test -p rkv --lib -- sync:: memory:: table:: hash::
	MIRIFLAGS="-Zmiri-permissive-provenance -Zmiri-tree-borrows -Zmiri-ignore-leaks" \
		cargo +nightly miri test -p rkv --lib -- epoch:: map:: store::

# A sanitizer makes everything several times slower, signals many times.
FEWER := PROPTEST_CASES=20 RKV_PREEMPT_MICROS=20000
# Freed records go back at once, so that a tool sees who uses one afterwards.
WATCHED := --cfg rkv_watched

ASAN := CARGO_TARGET_DIR=$(TARGET)/asan $(FEWER) \
	ASAN_OPTIONS=detect_stack_use_after_return=1:allocator_may_return_null=1 \
	cargo +nightly test

.PHONY: asan
# Then the tests inside the engine as it is delivered, with freed blocks that threads keep and arrays
# that come from the system: who writes beyond such a block, or loses one, shows here only. But
# no sanitizer follows the fork of a process with threads. At last the programs in C and C++, with
# the runtime of gcc, which serves what nightly Rust makes too.
asan: nightly ## Run the tests of the engine and of its C face under AddressSanitizer
	RUSTFLAGS="-Zsanitizer=address $(WATCHED)" $(ASAN) --target $(HOST) -p rkv --lib --test it
	RUSTFLAGS="-Zsanitizer=address" $(ASAN) --target $(HOST) -p rkv --lib -- \
		memory:: table:: map:: store:: --skip fork
	RUSTFLAGS="-Zsanitizer=address $(WATCHED)" CARGO_TARGET_DIR=$(TARGET)/asan \
		cargo +nightly build --profile test --target $(HOST) -p rkv-ffi-c --no-default-features
	LIBKV_DIR=$(TARGET)/asan/$(HOST)/debug \
		cargo test -q --no-default-features -p rkv-ffi-c --test it -- programs:: misuse:: \
		--skip fork --skip child

.PHONY: tsan
tsan: nightly ## Run the tests of the engine under ThreadSanitizer
	RUSTFLAGS="-Zsanitizer=thread $(WATCHED)" CARGO_TARGET_DIR=$(TARGET)/tsan $(FEWER) \
		TSAN_OPTIONS=halt_on_error=1:allocator_may_return_null=1 \
		cargo +nightly test -Zbuild-std --target $(HOST) -p rkv --lib --test it

.PHONY: fuzz
# New inputs go to the first folder; the committed ones stay as they are.
fuzz: nightly cargo-fuzz ## Fuzz every target: make fuzz [FUZZ_SECONDS=20]
	for target in $$(cargo +nightly fuzz list); do \
		echo "== $$target"; \
		mkdir -p $(TARGET)/fuzz/$$target; \
		cargo +nightly fuzz run $$target $(TARGET)/fuzz/$$target fuzz/corpus/$$target \
			-- -max_total_time=$(FUZZ_SECONDS); \
	done

.PHONY: soak
soak: ## The long forms of the proofs, for a night
	RKV_STRESS=100 cargo test --release -p rkv --test it stress::
	PROPTEST_CASES=100000 cargo test --release -p rkv --test it differential_
	$(MAKE) loom PREEMPTIONS=3
	$(MAKE) fuzz FUZZ_SECONDS=3600

# --- Figures --------------------------------------------------------------------------------------

RKV_BENCH := cargo run --release -p rkv-benches --bin rkv-bench --

.PHONY: bench
# What is published, bounds and deadlines with it; other options leave it alone.
bench: ## Measure rkv beside its rivals, 25 minutes: make bench [BENCH='--workloads kv-get']
	$(RKV_BENCH) $(or $(BENCH),\
		--record rivals.csv --charts docs/charts \
		--document docs/benchmarks.md --document README.md)
	$(if $(BENCH),,$(MAKE) bounded expiry)

.PHONY: bench-quick
bench-quick: ## The same in two minutes, for a first look: make bench-quick [BENCH=...]
	$(RKV_BENCH) --quick $(BENCH)

.PHONY: bench-crowd
bench-crowd: ## The same with 2 and 4 threads, which is more than a machine of two cores has
	$(RKV_BENCH) --sizes 65536 --threads 2,4 --seconds 0.2 --rounds 5 \
		--record crowd.csv --document docs/benchmarks.md --section crowd

.PHONY: bench-moka
bench-moka: ## Measure rkv beside moka with a time to live
	$(RKV_BENCH) --engines rkv,moka --seconds 0.2 --rounds 5 \
		--workloads kv-get,kv-read-mostly,kv-update-heavy,kv-zipf,kv-get-many-16,kv-churn \
		--record moka.csv --document docs/benchmarks.md --section moka

.PHONY: latency
latency: ## Time single inserts and gets while stores grow
	cargo run --release -p rkv-benches --bin rkv-latency -- --document docs/benchmarks.md

.PHONY: expiry
expiry: ## Time how late expired keys go, and what deadlines cost, 3 minutes
	cargo run --release -p rkv-benches --bin rkv-expiry -- \
		--charts docs/charts --document docs/benchmarks.md

.PHONY: bounded
bounded: ## Count the hits of bounded caches and time them beside their rivals, 4 minutes
	cargo run --release -p rkv-benches --bin rkv-bounded -- \
		--record bounded.csv --charts docs/charts --document docs/benchmarks.md

.PHONY: calls
# The Python rows are those of `make py`: the extension for this very interpreter.
calls: py ## Time what a call costs from C and from Python, beside Rust and rivals, 2 minutes
	cargo run --release -p rkv-benches --bin rkv-calls -- --document docs/benchmarks.md
	$(PYTHON) -m pip install -q -r benches/python/requirements.txt
	$(PYTHON) benches/python/calls.py --document docs/benchmarks.md

.PHONY: memory
memory: ## Show that memory stays flat under churn, and shrinks after a peak
	cargo run --release -p rkv-benches --bin rkv-memory

.PHONY: operations
operations: ## Time single operations on one thread
	cargo bench -p rkv-benches --bench operations

.PHONY: hashes
# ahash chooses its algorithm when it is compiled.
hashes: ## Time hashing, without and with AES instructions
	cargo bench -p rkv-benches --bench hashes
	RUSTFLAGS="-C target-feature=+aes" CARGO_TARGET_DIR=$(TARGET)/aes \
		cargo bench -p rkv-benches --bench hashes -- ahash

.PHONY: instructions
instructions: valgrind gungraun-runner ## Count the instructions of single operations
	cargo bench -p rkv-benches --bench instructions

.PHONY: gungraun-runner
# The program and the library must be of one version.
gungraun-runner:
	@version=$$(cargo pkgid gungraun | sed 's/.*@//'); \
		gungraun-runner --version 2>/dev/null | grep -qxF "gungraun-runner $$version" || \
		cargo install --locked "gungraun-runner@$$version"

# --- Tools ----------------------------------------------------------------------------------------

# The file is touched last: an environment that is half made is older than the list.
$(VENV): py/requirements-dev.txt
	python3 -m venv .venv
	$(PYTHON) -m pip install -q -r py/requirements-dev.txt
	touch $(VENV)

.PHONY: nightly
nightly:
	@rustup toolchain list | grep -q ^nightly || \
		rustup toolchain install nightly --profile minimal --no-self-update
	@rustup -q component add --toolchain nightly miri rust-src

.PHONY: cargo-fuzz
cargo-fuzz:
	@cargo fuzz --version >/dev/null 2>&1 || cargo install cargo-fuzz --locked

.PHONY: valgrind clang cmake pkg-config doxygen
valgrind clang cmake pkg-config doxygen:
	@command -v $@ >/dev/null || { apt-get update -q && apt-get install -qy $@; } || \
		{ echo "the tests of the C face need $@: please install it" >&2; exit 1; }

.PHONY: clean
clean: ## Remove what was built, and the Python environment
	cargo clean
	rm -rf .venv
