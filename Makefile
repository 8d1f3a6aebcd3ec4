# Everything a developer does, by one word. `make help` lists the words.
#
# JOBS=2 compilers at a time. CMAKE_ARGS are given to every configuration.

JOBS ?= 2
CMAKE_ARGS ?=
FUZZ_SECONDS ?= 30
CTEST := ctest --output-on-failure --no-tests=error -j$(JOBS)

# Directory of a build type and how it is configured once and built ever after, all or one target.
configure = test -e build/$(1)/build.ninja || \
  cmake -S . -B build/$(1) -G Ninja -DCMAKE_BUILD_TYPE=$(2) $(CMAKE_ARGS) $(3)
build = { $(call configure,$(1),$(2),$(3)); } && \
  cmake --build build/$(1) -j $(JOBS) $(if $(4),--target $(4))

.DEFAULT_GOAL := help
.PHONY: help setup build run test test-build test-heavy bench lint format sanitize asan tsan fuzz soak floors \
  tidy clean distclean

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: ## system packages, .venv, DuckDB; does nothing when all is there
	@tools/setup

build: setup ## the release build: build/release/bin/sheaf
	$(call build,release,Release,,sheaf)

run: build ## a node with sample data; prints three things to try, Ctrl-C stops it
	@tools/run

test-build: setup
	$(call build,test,Test)

test: test-build ## build and run every test at its small size
	@tools/sample_data >/dev/null
	cd build/test && $(CTEST)

test-heavy: test-build ## the schema on a real Cassandra, fetched once by Maven
	@tools/test_heavy

bench: build ## measure at full size; BENCH=name for some
	$(call build,release,Release,,benches)
	@tools/sample_data >/dev/null
	@tools/bench $(BENCH)

lint: setup ## clang-format and clang-tidy on what has changed; LINT=--all for everything
	@$(call configure,test,Test)
	@tools/lint $(LINT)

format: setup ## let clang-format write what has changed
	@tools/lint --fix

asan: setup ## unit and contract suites under AddressSanitizer and UBSan
	$(call build,asan,Asan,,unit_tests)
	@tools/sample_data >/dev/null
	cd build/asan && $(CTEST) -L 'unit|contract'

tsan: setup ## the rooms with threads under ThreadSanitizer
	$(call build,tsan,Tsan,,thread_tests)
	@tools/sample_data >/dev/null
	cd build/tsan && $(CTEST) -L threads

sanitize: asan tsan ## both

fuzz: setup ## every fuzzer under libFuzzer, FUZZ_SECONDS=30 each
	$(call build,fuzz,Test,-DSHEAF_LIBFUZZER=ON \
	  -DCMAKE_CXX_COMPILER=$$(tools/find_clang clang++))
	@tools/fuzz $(FUZZ_SECONDS)

soak: test-build ## the long rounds: kills, overload, millions
	@tools/sample_data >/dev/null
	cd build/test && SHEAF_SOAK=1 $(CTEST) -C Soak -L soak

floors: ## check the includes; SVG=file draws the house
	@tools/floors $(if $(SVG),--svg $(SVG))

tidy: ## check the house rules on text
	@tools/tidy

clean: ## remove every build
	rm -rf build

distclean: clean ## remove also what tools/setup fetched into this directory
	rm -rf .venv .deps
