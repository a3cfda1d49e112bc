# What a user calls, and all that CI calls.
SHELL = /bin/sh
PREFIX = /usr/local
HOST := $(shell rustc -vV | sed -n 's/^host: //p')
BIN := $(CURDIR)/target/$(HOST)/release
TOOLS = cgctl netns nsenter-rs pivot unshare-rs
SCRIPTS = shell-scripts/mkrootfs shell-scripts/box $(addprefix shell-scripts/box.d/serve/,api box capture keeper leash) \
	shell-scripts/walkthrough/play shell-scripts/walkthrough/play.d/machine shell-scripts/walkthrough/play.d/inside \
	tests/need tests/bench/run tests/bench/cgroups tests/bench/box tests/bench/netns tests/bench/api \
	tests/uml/run tests/uml/guest tests/qemu/run tests/qemu/init .ci/run
CMD = sh

# Without root there is no control group to be had from a plain login: the demo then does the rest.
LIMITED = $(if $(filter 0,$(shell id -u)),cgctl new m=64M -- unshare-rs,unshare-rs -Ur)

.PHONY: all demo test test-qemu test-debian test-kills lint check bench install uninstall clean

all:
	cargo build --release --workspace

# make demo CMD="sh -c 'hostname; ps'" runs that instead of a shell.
demo: all rootfs
	PATH="$(BIN):$$PATH" $(LIMITED) -pum pivot ./rootfs $(CMD)

rootfs:
	-tests/need demo
	PATH="$(BIN):$$PATH" shell-scripts/mkrootfs rootfs

# The tests run what users run: the release binaries.
test: all
	tests/need test
	CHAIN_BIN_DIR="$(BIN)" cargo test --workspace

# What User-Mode Linux lacks: cpuset, hugetlb, io.weight and pressure on pure cgroup v2. Takes minutes.
test-qemu: all
	tests/need test
	tests/need qemu
	CHAIN_BIN_DIR="$(BIN)" cargo test -p cgctl --test rigs -- --ignored --nocapture kernel_of_debian

# A whole Debian as an image of box. Takes minutes, and downloads what debootstrap does.
test-debian: all
	tests/need test
	tests/need debian
	CHAIN_BIN_DIR="$(BIN)" cargo test -p tests --test box -- --ignored --nocapture images::debian

# kill -9 of every link at 11,000 random moments. Takes minutes.
test-kills: all
	tests/need test
	CHAIN_BIN_DIR="$(BIN)" cargo test -p cgctl --test verbs -- --ignored --nocapture ten_thousand_kills
	CHAIN_BIN_DIR="$(BIN)" cargo test -p tests --test chain -- --ignored --nocapture a_thousand_kills

lint:
	tests/need lint
	cargo fmt --all --check
	cargo clippy --workspace --all-targets -- -D warnings
	shellcheck -a -x $(SCRIPTS)
	shellcheck -x shell-scripts/box.d/*.sh shell-scripts/box.d/lib/*.sh shell-scripts/box.d/serve/*/*.sh
	shellcheck -a $(filter-out %.jq,$(wildcard shell-scripts/box.d/inside/*))
	mandoc -Tlint -Wwarning $(TOOLS:%=%/*.1) shell-scripts/*.1

check: lint test

bench: all
	tests/need bench
	tests/bench/run "$(BIN)"
	tests/bench/cgroups "$(BIN)"
	tests/bench/box "$(BIN)"
	tests/bench/netns "$(BIN)"
	tests/bench/api "$(BIN)"

install: all
	install -d "$(DESTDIR)$(PREFIX)/bin" "$(DESTDIR)$(PREFIX)/share/man/man1"
	cd "$(BIN)" && install -m 755 $(TOOLS) "$(DESTDIR)$(PREFIX)/bin"
	install -m 755 shell-scripts/mkrootfs shell-scripts/box "$(DESTDIR)$(PREFIX)/bin"
	cd shell-scripts && find mkrootfs.d box.d walkthrough -type f ! -name '.*' ! -perm -100 \
		-exec install -D -m 644 {} "$(DESTDIR)$(PREFIX)/share/chain/{}" \;
	cd shell-scripts && find mkrootfs.d box.d walkthrough -type f -perm -100 \
		-exec install -D -m 755 {} "$(DESTDIR)$(PREFIX)/share/chain/{}" \;
	install -m 644 $(TOOLS:%=%/*.1) shell-scripts/*.1 "$(DESTDIR)$(PREFIX)/share/man/man1"

uninstall:
	cd "$(DESTDIR)$(PREFIX)/bin" && rm -f $(TOOLS) mkrootfs box
	cd "$(DESTDIR)$(PREFIX)/share/chain" && rm -rf mkrootfs.d box.d walkthrough
	cd "$(DESTDIR)$(PREFIX)/share/man/man1" && rm -f $(TOOLS:%=%.1) mkrootfs.1 box.1 box-serve.1

clean:
	cargo clean
	rm -rf rootfs
