# sockscope: `make run` and `make test` do all the set-up on a machine that has cargo.

CARGO ?= cargo
ARGS  ?=
# The rust-version of Cargo.toml.
MSRV  := $(shell sed -n 's/^rust-version = "\(.*\)"/\1/p' Cargo.toml)

# A fuzz target each: see tests/support/doors.rs.
DOORS := $(basename $(notdir $(wildcard tests/fuzz/targets/*.rs)))

.PHONY: help run build install-deps check-cargo lint test bench soak fuzz demo-recording screenshots clean

help: ## What can be made
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | expand -t 16

run: build ## Build in release mode and start (ARGS='-r file.pcap' passes words on)
	@tests/setup/run.sh target/release/sockscope $(ARGS)

build: install-deps ## Build in release mode
	@$(CARGO) build --release --quiet

install-deps: check-cargo ## Install libpcap's headers and a C compiler where they are missing
	@tests/setup/install.sh

check-cargo:
	@MSRV=$(MSRV) CARGO=$(CARGO) tests/setup/check-cargo.sh

lint: install-deps ## rustfmt, clippy, rustdoc, the pure rooms alone
	$(CARGO) fmt --check
	$(CARGO) clippy --quiet --all-targets -- -D warnings
	RUSTDOCFLAGS="-D warnings" $(CARGO) doc --quiet --no-deps --document-private-items
	$(CARGO) check --quiet --lib --no-default-features
	$(CARGO) test --quiet --test tidy

test: install-deps ## Every test; as root the privileged ones too
	@tests/setup/install.sh --for-tests
	$(CARGO) test --no-fail-fast

bench: install-deps ## Measure; beside tcpdump, tcptrace and tshark where they are installed
	$(CARGO) bench

soak: install-deps ## What takes too long for CI
	SOCKSCOPE_SOAK=1 $(CARGO) test --release --test soak --test hostile -- --nocapture
	SOCKSCOPE_SOAK=1 $(CARGO) test --release --test record -- --nocapture a_thousand_kills
	$(CARGO) test --release --test kernel_trace -- --ignored --nocapture

fuzz: install-deps ## Fuzz every door (DOOR=frame for one, SECONDS=60 each); wants cargo-fuzz
	@cargo fuzz --version >/dev/null 2>&1 || { echo "cargo-fuzz is missing: cargo install cargo-fuzz" >&2; exit 1; }
	@for door in $(or $(DOOR),$(DOORS)); do \
	    log=tests/fuzz/target/$$door.log; mkdir -p tests/fuzz/target; echo "== $$door"; \
	    $(CARGO) fuzz run --fuzz-dir tests/fuzz -s none $$door -- -max_total_time=$(or $(SECONDS),60) \
	        -rss_limit_mb=1024 -timeout=20 -print_final_stats=1 >$$log 2>&1 || { tail -n 40 $$log >&2; exit 1; }; \
	    grep -E '^(Done|stat::(number|peak))' $$log; \
	done

demo-recording: build ## Make assets/demo.pcapng.gz anew (root, network namespaces, openssl)
	python3 tests/demo/make-demo.py target/release/sockscope

screenshots: build ## Draw the README's pictures anew
	tests/setup/screenshots.sh target/release/sockscope

clean: ## Remove what was built
	$(CARGO) clean
