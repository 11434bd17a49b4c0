# The front door. Everything longer than three lines is a script or `cargo xtask`.

export PATH := $(HOME)/.cargo/bin:$(PATH)
CARGO_FLAGS := --workspace --locked
# Built with the rest, so that what both need is compiled once; `cargo xtask` would choose other features.
XTASK := $(or $(CARGO_TARGET_DIR),target)/debug/xtask

.PHONY: setup run test check bench sim clean-state

setup: ## Install what this machine lacks
	@./scripts/setup.sh

run: setup ## Run the whole plane on this machine; ARGS=--no-demo leaves it empty
	@cargo build $(CARGO_FLAGS) --bins
	@$(XTASK) run $(ARGS)

test: setup ## All tests, with real Postgres, NATS and containers
	@cargo build $(CARGO_FLAGS) --bins --tests
	@$(XTASK) with-deps cargo nextest run $(CARGO_FLAGS) $(ARGS)

check: setup ## Format, lints, layers, sizes, contracts
	@./scripts/check.sh

bench: setup ## The numbers of docs/BENCHMARKS.md, measured here
	@cargo xtask bench $(ARGS)

sim: setup ## Seeded simulation of placement and repair; SEEDS=1000
	@cargo run --release --locked --package fluxplane-simulation -- --seeds $(or $(SEEDS),200)

clean-state: ## Forget everything `make run` kept
	@cargo xtask clean-state
