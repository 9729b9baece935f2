# Hallmark: `make demo` shows verified prices, `make check` runs the tests.
# `make help` lists the rest. Everything that is built goes to $(B).

ifeq ($(origin CC),default)
CC        = gcc
endif
B        ?= build
PREFIX   ?= /usr/local
VERSION  := 0.1.0

CFLAGS   ?= -O2 -g
Q         = $(if $(V),,@)# V=1 shows each command
WARNINGS  = -Wall -Wextra -Wshadow -Wconversion -Wstrict-prototypes \
            -Wmissing-prototypes -Wformat=2 -Wvla -Werror
HARDEN    = -fPIC -fvisibility=hidden -fstack-protector-strong \
            -fstack-clash-protection
FORTIFY   = -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2
LDHARDEN  = -pie -Wl,-z,relro,-z,now,-z,noexecstack

# SAN=1: address and undefined-behaviour sanitizers, the unit tests' build. For
# their reports lines are enough, and built in less time; DEBUG=-g for gdb.
DEBUG     = -g1
ifdef SAN
CFLAGS    = -O1 $(DEBUG) -fno-omit-frame-pointer -fsanitize=address,undefined \
            -fno-sanitize-recover=all
FORTIFY   =
LDSAN     = -fsanitize=address,undefined
endif
# FUZZ=1: the library instrumented for libFuzzer (clang only).
ifdef FUZZ
CFLAGS    = -O1 $(DEBUG) -fno-omit-frame-pointer \
            -fsanitize=fuzzer-no-link,address,undefined \
            -fno-sanitize-recover=all
FORTIFY   =
LDSAN     = -fsanitize=address,undefined
endif

# MUTANTS=1: each named check can be switched off (feeds/check.h).
ifdef MUTANTS
CPPFLAGS += -DHM_MUTANTS
endif
# COVERAGE=1: counts how often each line ran.
ifdef COVERAGE
CFLAGS    = -O0 -g --coverage
CPPFLAGS += -DHALLMARK_COVERAGE
FORTIFY   =
LDSAN     = --coverage
endif

PKGS      = libuv libmicrohttpd libcrypto libssl libcbor jansson
PKGS_OUT  = libcurl sqlite3
CPPFLAGS += -I. -D_GNU_SOURCE -DHALLMARK_VERSION='"$(VERSION)"' $(FORTIFY)
ALL_CFLAGS = -std=c11 $(CFLAGS) $(WARNINGS) $(HARDEN) -MMD -MP
ALL_LDFLAGS = $(LDFLAGS) $(LDHARDEN) $(LDSAN)

# What the enclave links, and what only programs outside it may.
LIBS      = -luv -lmicrohttpd -lssl -lcrypto -lcbor -ljansson -lhttp_parser -lz
LIBS_OUT  = $(LIBS) -lcurl -lsqlite3
LIBS_DAEMON = $(LIBS_OUT) -lnats# the daemon alone talks to NATS
LIBS_BRIDGE = -luv -lmicrohttpd -ljansson -lseccomp

obj       = $(patsubst %.c,$(B)/obj/%.o,$(wildcard $(1)))
BASE      = $(call obj,base/*.c)
FEEDS     = $(call obj,feeds/*.c feeds/exchanges/*.c)
VERIFIER  = $(call obj,verifier/*.c verifier/sgx/*.c)
ifdef MUTANTS
VERIFIER += $(call obj,tests/mutants/*.c)
endif
EIF       = $(call obj,verifier/eif/*.c)
ARCHIVE   = $(call obj,verifier/archive/*.c)
DAEMON    = $(call obj,verifier/daemon/*.c)
CLI       = $(call obj,verifier/cli/*.c)
ORACLE    = $(call obj,oracle/*.c)
INIT_OBJ  = $(call obj,oracle/init/*.c)
BRIDGE    = $(call obj,vsock-bridge/*.c)
main_less = $(filter-out %/main.o,$(1))

PROGRAMS  = $(B)/bin/hallmark-oracle $(B)/bin/vsock-bridge \
            $(B)/bin/hallmark-verifierd $(B)/bin/hallmark
# Those that an image has besides; nobody installs them.
IN_IMAGE  = $(B)/bin/hallmark-init

all: $(PROGRAMS) $(IN_IMAGE) $(B)/lib/libhallmark.a

$(B)/lib/libbase.a: $(BASE)
$(B)/lib/libhallmark.a: $(VERIFIER) $(FEEDS)
$(B)/lib/liboracle.a: $(call main_less,$(ORACLE))
$(B)/lib/libinit.a: $(call main_less,$(INIT_OBJ))
$(B)/lib/libbridge.a: $(call main_less,$(BRIDGE))
$(B)/lib/libdaemon.a: $(call main_less,$(DAEMON))
$(B)/lib/libarchive.a: $(ARCHIVE)
$(B)/lib/libeif.a: $(EIF)
$(B)/lib/libcli.a: $(call main_less,$(CLI))
$(B)/lib/libnsm.a: $(call obj,tests/vm/nsm_core.c tests/vm/nsm_queue.c)
$(B)/lib/libquotes.a: $(call obj,tests/sgx/*.c)
$(B)/lib/libvm.a: $(call obj,tests/vm/virtqueue.c tests/vm/vhost_*.c \
    tests/vm/vsock_connection.c tests/vm/vsock_mux.c)
$(B)/lib/%.a:
	@mkdir -p $(@D)
	@rm -f $@
	$(Q)$(AR) rcs $@ $^

OUTSIDE   = $(B)/lib/libdaemon.a $(B)/lib/libarchive.a $(B)/lib/libhallmark.a \
            $(B)/lib/libbase.a
ENCLAVE   = $(B)/lib/liboracle.a $(B)/lib/libhallmark.a $(B)/lib/libbase.a

$(B)/bin/hallmark-oracle: $(B)/obj/oracle/main.o $(ENCLAVE)
	@mkdir -p $(@D)
	@echo "  LINK  $@"
	$(Q)$(CC) $(ALL_LDFLAGS) -o $@ $^ $(LIBS)
# The enclave's first process: no more libraries than the oracle has.
$(B)/bin/hallmark-init: $(B)/obj/oracle/init/main.o $(B)/lib/libinit.a \
    $(ENCLAVE)
	@mkdir -p $(@D)
	@echo "  LINK  $@"
	$(Q)$(CC) $(ALL_LDFLAGS) -Wl,--as-needed -o $@ $^ $(LIBS)
$(B)/bin/vsock-bridge: $(B)/obj/vsock-bridge/main.o $(B)/lib/libbridge.a \
    $(B)/lib/libbase.a
	@mkdir -p $(@D)
	@echo "  LINK  $@"
	$(Q)$(CC) $(ALL_LDFLAGS) -o $@ $^ $(LIBS_BRIDGE)
$(B)/bin/hallmark-verifierd: $(B)/obj/verifier/daemon/main.o $(OUTSIDE)
	@mkdir -p $(@D)
	@echo "  LINK  $@"
	$(Q)$(CC) $(ALL_LDFLAGS) -o $@ $^ $(LIBS_DAEMON)
$(B)/bin/hallmark: $(CLI) $(B)/lib/libeif.a $(OUTSIDE)
	@mkdir -p $(@D)
	@echo "  LINK  $@"
	$(Q)$(CC) $(ALL_LDFLAGS) -o $@ $^ $(LIBS_OUT)

# Made anew when the compiler or its flags are others than last time.
$(B)/flags: FORCE
	$(shell mkdir -p $(@D))$(file >$@.now,$(CC) $(CPPFLAGS) $(ALL_CFLAGS))
	@cmp -s $@.now $@ || mv $@.now $@
	@rm -f $@.now
FORCE:

$(B)/obj/%.o: %.c $(B)/flags
	@mkdir -p $(@D)
	@echo "  CC    $<"
	$(Q)$(CC) $(CPPFLAGS) $(ALL_CFLAGS) -c -o $@ $<

# The dashboard is inside (verifier/daemon/web_files.c).
$(B)/obj/verifier/daemon/web_files.o: $(wildcard verifier/web/*)
# So are the shapes of the API's answers.
$(B)/obj/base/service_document.o: base/schemas.json

# ---- tests: each tests/unit/ROOM/test_NAME.c is one program ----

UNIT      = $(patsubst tests/unit/%.c,$(B)/tests/%, \
            $(shell find tests/unit -name 'test_*.c' 2>/dev/null))
TEST_LIBS = $(B)/lib/libquotes.a $(B)/lib/libcli.a $(B)/lib/libnsm.a $(B)/lib/libvm.a $(B)/lib/libinit.a \
            $(B)/lib/liboracle.a $(B)/lib/libbridge.a \
            $(B)/lib/libeif.a $(OUTSIDE)

unit: $(UNIT)
# Those of what reads bytes from outside; not those that try every bit.
unit-parsers: $(filter-out %/test_bit_flips %/test_aggregate_properties, \
    $(filter $(B)/tests/verifier/% $(B)/tests/feeds/% $(B)/tests/eif/% \
        $(B)/tests/sgx/% \
        $(addprefix $(B)/tests/base/test_,endpoint endpoint_hybrid \
            http_request lines proxy_header sse_parser) \
        $(addprefix $(B)/tests/oracle/test_,http_response nsm_message \
            proxy_connect) \
        $(addprefix $(B)/tests/vsock-bridge/test_,allowlist authority \
            client_hello connect_request),$(UNIT)))
unit-verifier: $(filter $(B)/tests/verifier/% $(B)/tests/eif/% $(B)/tests/sgx/% \
    $(B)/tests/feeds/test_item,$(UNIT))
$(B)/tests/%: $(B)/obj/tests/unit/%.o $(TEST_LIBS)
	@mkdir -p $(@D)
	@echo "  LINK  $@"
	$(Q)$(CC) $(ALL_LDFLAGS) -o $@ $^ $(LIBS_DAEMON) -lseccomp -lcmocka

# A Nitro Security Module for the guests of make check-vm.
$(B)/vm/nsm_cuse: $(B)/obj/tests/vm/nsm_cuse.o $(B)/lib/libnsm.a $(ENCLAVE)
	@mkdir -p $(@D)
	@echo "  LINK  $@"
	$(Q)$(CC) $(ALL_LDFLAGS) -o $@ $^ $(LIBS)

# A guest's vsock on a machine that has none: QEMU's back end (HACKING.md).
$(B)/vm/vsock_device: $(B)/obj/tests/vm/vsock_device.o $(B)/lib/libvm.a \
    $(B)/lib/libbase.a
	@mkdir -p $(@D)
	@echo "  LINK  $@"
	$(Q)$(CC) $(ALL_LDFLAGS) -o $@ $^ $(LIBS)

# The NSM of an emulated enclave; nsm_cuse is the one of a guest that has none.
$(B)/vm/nsm_device: $(B)/obj/tests/vm/nsm_device.o $(B)/lib/libnsm.a \
    $(B)/lib/libvm.a $(ENCLAVE)
	@mkdir -p $(@D)
	@echo "  LINK  $@"
	$(Q)$(CC) $(ALL_LDFLAGS) -o $@ $^ $(LIBS)

# An oracle that lies, for the integration tests.
$(B)/fork/fork_oracle: $(B)/obj/tests/fork/fork_oracle.o $(ENCLAVE)
	@mkdir -p $(@D)
	@echo "  LINK  $@"
	$(Q)$(CC) $(ALL_LDFLAGS) -o $@ $^ $(LIBS)

# What the stand-in for KMS leaves to libhallmark (tests/simulator/kms.py).
$(B)/kms/kms_helper: $(B)/obj/tests/simulator/kms_helper.o \
    $(B)/lib/libhallmark.a $(B)/lib/libbase.a
	@mkdir -p $(@D)
	@echo "  LINK  $@"
	$(Q)$(CC) $(ALL_LDFLAGS) -o $@ $^ $(LIBS)

# A machine with SGX, as far as an enclave under Gramine sees of it.
$(B)/sgx/gramine_helper $(B)/sgx/quote_helper: $(B)/sgx/%: \
    $(B)/obj/tests/simulator/%.o \
    $(B)/lib/libquotes.a $(B)/lib/libhallmark.a $(B)/lib/libbase.a
	@mkdir -p $(@D)
	@echo "  LINK  $@"
	$(Q)$(CC) $(ALL_LDFLAGS) -o $@ $^ $(LIBS)

FUZZERS   = $(patsubst tests/fuzz/%.c,$(B)/fuzz/%,$(wildcard tests/fuzz/fuzz_*.c))

fuzzers: $(FUZZERS)
$(B)/fuzz/%: $(B)/obj/tests/fuzz/%.o $(TEST_LIBS)
	@mkdir -p $(@D)
	@echo "  LINK  $@"
	$(Q)$(CC) $(ALL_LDFLAGS) -fsanitize=fuzzer -o $@ $^ $(LIBS_DAEMON) -lseccomp

# An archive as an oracle and its verifier leave it; and how fast it is replayed.
$(B)/bench/make_archive $(B)/bench/bench_replay: $(B)/bench/%: \
    $(B)/obj/tests/bench/%.o $(B)/lib/liboracle.a $(OUTSIDE)
	@mkdir -p $(@D)
	@echo "  LINK  $@"
	$(Q)$(CC) $(ALL_LDFLAGS) -o $@ $^ $(LIBS_OUT)
$(B)/bench/%: $(B)/obj/tests/bench/%.o $(OUTSIDE)
	@mkdir -p $(@D)
	@echo "  LINK  $@"
	$(Q)$(CC) $(ALL_LDFLAGS) -o $@ $^ $(LIBS)

.PHONY: all unit unit-parsers unit-verifier fuzzers
.SECONDARY:
-include $(shell find $(B)/obj -name '*.d' 2>/dev/null)

include deploy/install.mk
include deploy/image/image.mk

# ---- what people call ----

# gcc, make and git aside; make deps installs what is missing and says so.
PACKAGES_BUILD = gcc libc6-dev libuv1-dev libmicrohttpd-dev libssl-dev \
            libcbor-dev libjansson-dev libhttp-parser-dev \
            libcurl4-openssl-dev libsqlite3-dev libnats-dev libseccomp-dev \
            zlib1g-dev
PACKAGES_DEMO = python3 openssl ca-certificates curl jq
PACKAGES_CHECK = clang clang-format libclang-rt-dev libcmocka-dev procps \
            pkg-config mandoc python3-yaml systemd nats-server

deps:
	@deploy/install-packages.sh $(PACKAGES_BUILD) $(PACKAGES_DEMO)
deps-check: deps
	@deploy/install-packages.sh $(PACKAGES_CHECK)

demo: deps
	@$(MAKE) -s -j2 all
	@LIVE=$(LIVE) python3 deploy/demo.py

tour: deps
	@$(MAKE) -s -j2 all $(B)/kms/kms_helper $(B)/sgx/quote_helper
	@HALLMARK_BIN=$(B)/bin python3 deploy/tour.py

check: deps-check
	@MAKE="$(MAKE)" tests/check.sh

# The same programs over real vsock and a /dev/nsm, in a guest (HACKING.md).
check-vm: deps
	@$(MAKE) -s -j2 all $(B)/vm/nsm_cuse $(B)/vm/vsock_device
	@HALLMARK_BIN=$(B)/bin HALLMARK_VM_BIN=$(B)/vm tests/vm/check.py

# The very image, in an emulated Nitro machine; with QEMU 11, fetched once.
check-enclave: image
	@$(MAKE) -s -j2 all $(B)/vm/nsm_device $(B)/vm/vsock_device
	@HALLMARK_BIN=$(B)/bin HALLMARK_VM_BIN=$(B)/vm \
	    HALLMARK_IMAGE=$(B)/image/hallmark.eif tests/vm/enclave_check.py

# The API under programs from npm; the dashboard: its verifier under node, and
# the page in a browser. Where npm came with another package's node, Debian's
# would replace that.
PACKAGES_WEB = nodejs chromium fonts-dejavu-core \
            $(shell sh -c 'command -v npm' >/dev/null || echo npm)
check-web: deps
	@deploy/install-packages.sh $(PACKAGES_WEB)
	@$(MAKE) -s -j2 all
	@status=0; for part in openapi web; do \
	    HALLMARK_BIN=$(B)/bin tests/$$part/check.py || status=1; \
	done; exit $$status

# The proofs that take longer: every bit of every vector, every failure of every
# exchange, fuzzing in earnest.
check-long: deps-check
	@HALLMARK_LONG=1 FUZZ_SECONDS=$(or $(FUZZ_SECONDS),60) \
	    MAKE="$(MAKE)" tests/check.sh

fuzz: deps-check
	@$(MAKE) -s -j2 B=build/fuzz CC=clang FUZZ=1 $(or \
	    $(FUZZERS_ONLY:%=build/fuzz/fuzz/fuzz_%),fuzzers)
	@FUZZ_SECONDS=$(or $(FUZZ_SECONDS),600) \
	    tests/fuzz/all.sh $(FUZZERS_ONLY)

# Would a test notice if one of the verifier's checks were not there? (clang:
# gcc 12's sanitizer overlooks some reads behind the end.)
mutants: deps-check
	@$(MAKE) -s -j2 B=build/mutants CC=clang SAN=1 MUTANTS=1 unit-verifier
	@tests/mutants/run.sh build/mutants

coverage: deps-check
	@$(MAKE) -s -j2 B=build/coverage CC=gcc COVERAGE=1 unit
	@tests/coverage.sh build/coverage

# Speeds, as ratios to limits measured beside them; never a test.
bench: bench-verify bench-bridge bench-oracle bench-serve bench-replay
bench-verify: deps
	@$(MAKE) -s -j2 $(B)/bench/bench_verify
	@$(B)/bench/bench_verify
# On the disk that $(B) is on.
.PHONY: bench-archive
bench: bench-archive
bench-archive: deps
	@$(MAKE) -s -j2 $(B)/bench/bench_archive
	@$(B)/bench/bench_archive $(B)/bench
$(B)/bench/bench_archive: $(B)/obj/tests/bench/bench_archive.o $(OUTSIDE)
	@mkdir -p $(@D)
	@echo "  LINK  $@"
	$(Q)$(CC) $(ALL_LDFLAGS) -o $@ $^ $(LIBS_OUT)
# Beside what others relay with: these are installed for this only.
bench-bridge: deps
	@deploy/install-packages.sh socat haproxy nginx-light \
	    libnginx-mod-stream || echo "Without those that are missing:"
	@$(MAKE) -s -j2 $(B)/bin/vsock-bridge $(B)/bench/bridge_load
	@python3 tests/bench/bench_bridge.py $(B)/bin/vsock-bridge \
	    $(B)/bench/bridge_load
# GET /price beside a bare epoll server, nginx and h2o; a stream for 5,000 beside
# a bare epoll server and nginx with nchan.
bench-serve: deps
	@deploy/install-packages.sh nginx-light libnginx-mod-nchan h2o || \
	    echo "Without those that are missing:"
	@$(MAKE) -s -j2 $(B)/bench/stream_server $(B)/bench/stream_load \
	    $(B)/bench/price_server $(B)/bench/price_load
	@python3 tests/bench/bench_price.py $(B)/bench/price_server \
	    $(B)/bench/price_load $(BENCH_ARGS)
	@python3 tests/bench/bench_serve.py $(B)/bench/stream_server \
	    $(B)/bench/stream_load $(BENCH_ARGS)
# Beside the bare rate of RSA, of a day that is over, as "archive_rotate" leaves
# it; a whole one of 20 feeds (7 GB, ten minutes to make) with
# REPLAY_SECONDS=86400.
bench-replay: deps
	@$(MAKE) -s -j2 $(B)/bench/make_archive $(B)/bench/bench_replay
	@rm -rf $(B)/bench/replay && mkdir -p $(B)/bench/replay
	@$(B)/bench/make_archive --rotate deploy/feeds/all.json \
	    $(B)/bench/replay $(or $(REPLAY_SECONDS),2000) \
	    $$(($$(date +%s) / 86400 * 86400000 - 172800000)) 2>/dev/null
	@$(B)/bench/bench_replay $(B)/bench/replay/archive-*.db \
	    $(B)/bench/replay/policy.json deploy/feeds/all.json
	@rm -rf $(B)/bench/replay
# 10,000 challenges a second, each answer verified; the attester's calls.
.PHONY: bench-nonces
bench: bench-nonces
bench-nonces: deps
	@$(MAKE) -s -j2 $(PROGRAMS) $(B)/bench/nonce_load
	@HALLMARK_BIN=$(B)/bin python3 tests/bench/bench_nonces.py \
	    $(B)/bench/nonce_load $(NONCE_ARGS)
# 200 feeds from 14 exchanges: CPU and memory; fails only if a tick is missed.
bench-oracle: deps
	@$(MAKE) -s -j2 $(PROGRAMS)
	@HALLMARK_BIN=$(B)/bin python3 tests/bench/bench_oracle.py

format:
	git ls-files '*.c' '*.h' | grep -v planted | xargs clang-format -i

clean:
	rm -rf build

help:
	@echo "make demo        verified prices in the terminal, offline"
	@echo "                 (DEMO_SECONDS=20 ends by itself, LIVE=1 real exchanges)"
	@echo "make tour        the README's other commands, each and an attack on it, offline"
	@echo "make check       all tests; ends with N passed, N failed"
	@echo "make check-vm    the programs over real vsock, in a virtual machine"
	@echo "make image       the enclave's image in build/image (CONFIG=FILE measured in it)"
	@echo "make check-image that two clones give the same image, and what is in it"
	@echo "make check-enclave   that image, booted: a verified price comes out"
	@echo "make check-web   the API and the dashboard, in node and in Chromium"
	@echo "make check-long  the same with every bit flipped and long fuzzing"
	@echo "make             the programs, in build/bin"
	@echo "make fuzz        all fuzzers, 600 s each, one a core (FUZZ_SECONDS=N,"
	@echo "                 FUZZERS_ONLY=\"cose document\", FUZZ_JOBS=N)"
	@echo "make mutants     switches off each check; a test must notice"
	@echo "make coverage    the lines that the unit tests run"
	@echo "make bench       how near verification comes to its limits, and"
	@echo "                 the bridge beside haproxy, nginx and socat, prices and"
	@echo "                 streams beside nginx, h2o and nchan (bench-serve,"
	@echo "                 BENCH_ARGS=--realtime), and"
	@echo "                 what 200 feeds from 14 exchanges cost, and nonces"
	@echo "                 (bench-nonces)"
	@echo "make format      clang-format on all sources"
	@echo "make deps        what is missing, through apt"
	@echo "make install     DESTDIR= PREFIX="
	@echo "make bundle      the programs for a parent with other libraries"

.PHONY: deps deps-check demo tour check check-vm check-enclave check-web check-long fuzz mutants coverage bench \
    bench-verify bench-bridge bench-oracle bench-serve bench-replay format clean help
