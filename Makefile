# cnntrain: `make help` lists the targets.
#
# Objects live in build/<variant>; a change of flags rebuilds what it touches (build/<variant>/flags). The kernel bodies are compiled
# once per CPU level; only they get -m flags.

VERSION := 0.1.0
CC ?= cc
VARIANT ?= release
PREFIX ?= /usr/local
comma := ,
B := build/$(VARIANT)
BIN := $(if $(filter release,$(VARIANT)),bin,$(B)/bin)

LIBRARIES := yaml-0.1 zlib libdeflate jansson libjpeg
WARNINGS := -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wpointer-arith -Wcast-qual \
            -Wwrite-strings -Wformat=2 -Wvla -Wno-missing-field-initializers
MACHINE := $(shell $(CC) -dumpmachine)
# Against what a bug in the handling of a hostile file could be used for; each flag where the compiler knows it for this machine
# (aarch64 has no -fcf-protection). tests/reliability/hygiene.py reads in the built commands that they are at work.
HARDENING := -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2 -fPIE \
             $(foreach flag,-fstack-protector-strong -fstack-clash-protection -fcf-protection,$(shell \
               $(CC) -Werror $(flag) -fsyntax-only -x c /dev/null 2>/dev/null && echo $(flag)))
HARDENING_LINK := $(if $(findstring linux,$(MACHINE)),-pie -Wl$(comma)-z$(comma)relro -Wl$(comma)-z$(comma)now -Wl$(comma)-z$(comma)noexecstack)
FLAGS_release := -O2 -g $(HARDENING)
LINK_release := $(HARDENING_LINK)
# Lines and functions are enough for a report of the sanitizers; all of -g doubles the time that the kernels take to compile.
FLAGS_asan := -O1 -g1 -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer
FLAGS_fuzz := -O2 -g -fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-coverage=trace-cmp -fno-sanitize-recover=all -fno-omit-frame-pointer
# The sanitizers as a part of the program: as libraries they would have each run read six megabytes more for leaks.
LINK_asan = $(shell $(CC) -Werror -static-libasan -static-libubsan -fsyntax-only -x c /dev/null 2>/dev/null && echo -static-libasan -static-libubsan)
OPTIMIZE_release := -O3 -g1
# In the kernels, whose code is addresses for the most part, these checks treble the time to compile, and the address sanitizer sees
# what they would. The others stop the program without a word (SIGILL): their texts would be megabytes, which every run has to load.
OPTIMIZE_asan := -O1 -fno-sanitize=null,object-size,pointer-overflow -fsanitize-undefined-trap-on-error
# What results are compared with (tests/reference*.c) takes twice as long as all that it is compared with, when it is watched itself.
REFERENCE_asan := -O2 -fno-sanitize=all
# What tests/reliability builds beside: for the thread sanitizer (with clang, whose OpenMP tells it of its barriers), to count lines.
FLAGS_tsan := -O1 -g -fsanitize=thread -fno-omit-frame-pointer
OPTIMIZE_tsan := -O1
FLAGS_coverage := -O0 -g --coverage -fprofile-update=atomic
OPTIMIZE_coverage := -O0
# The kernels are no parsers: their branches are not what a fuzzer shall look for, and clang takes minutes for their checks.
OPTIMIZE_fuzz := -O1 -fno-sanitize=fuzzer-no-link,undefined
# Fuzzed code runs in one thread: tests/fuzz/single/omp.h stands in for OpenMP.
OPENMP := $(if $(filter fuzz,$(VARIANT)),-Itests/fuzz/single -Wno-unknown-pragmas -Wno-unused-variable,-fopenmp)
# Multiply and add are fused only where kernels/lanes.h says so: the same bytes on every machine depend on it.
CPPFLAGS := -D_GNU_SOURCE -Isrc -Itests -DVERSION='"$(VERSION)"' $(CPPFLAGS)
# Asked once, not for each object.
LIBRARY_CFLAGS := $(shell pkg-config --cflags $(LIBRARIES) 2>/dev/null)
LIBRARY_LIBS := $(shell pkg-config --libs $(LIBRARIES) 2>/dev/null)
CFLAGS_ALL = -std=gnu11 $(FLAGS_$(VARIANT)) $(WARNINGS) -ffp-contract=off $(OPENMP) $(CFLAGS) $(LIBRARY_CFLAGS)
LDLIBS_ALL = $(LIBRARY_LIBS) -lm $(LDLIBS)

LEVELS := generic
ifneq ($(and $(filter-out fuzz,$(VARIANT)),$(filter x86_64%,$(MACHINE))),)
LEVELS += avx2 avx512
endif
LEVEL_generic :=
LEVEL_avx2 := -mavx2 -mfma
LEVEL_avx512 := -mavx512f -mavx512bw -mavx512vl -mavx512dq -mfma -mprefer-vector-width=512

TOOLS := cnntrain cnneval cnnpredict cnnview
BODIES := $(filter-out src/kernels/levels.c,$(wildcard src/kernels/*.c))
SOURCES := $(wildcard src/base/*.c src/config/*.c src/net/*.c src/net/layers/*.c src/optim/*.c src/optim/schedules/*.c src/data/*.c src/data/augmentations/*.c src/train/*.c src/teach/*.c src/teach/symptoms/*.c src/view/*.c src/view/methods/*.c) \
           $(wildcard src/report/*.c) src/kernels/levels.c
OBJECTS := $(SOURCES:%.c=$(B)/%.o) $(foreach level,$(LEVELS),$(BODIES:src/kernels/%.c=$(B)/kernels/$(level)/%.o))
SHARED := $(filter-out $(TOOLS:%=$(B)/src/tools/%.o),$(patsubst %.c,$(B)/%.o,$(wildcard src/tools/*.c)))
UNIT := $(patsubst tests/unit/%.c,%,$(wildcard tests/unit/test_*.c))
SUPPORT := $(patsubst %.c,$(B)/%.o,$(wildcard tests/*.c))

all: $(TOOLS:%=$(BIN)/%)  ## build the commands in bin/ (default)

$(BIN)/%: $(B)/src/tools/%.o $(SHARED) $(B)/libcnntrain.a
	@mkdir -p $(@D)
	$(CC) $(CFLAGS_ALL) $(LINK_$(VARIANT)) $(LDFLAGS) $^ $(LDLIBS_ALL) -o $@

$(B)/libcnntrain.a: $(OBJECTS)
	@rm -f $@
	$(AR) rcs $@ $^

$(B)/src/%.o: src/%.c $(B)/flags
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS) $(CPPFLAGS_$(*F)) $(CFLAGS_ALL) -MMD -MP -c $< -o $@

define LEVEL_RULE
$(B)/kernels/$(1)/%.o: src/kernels/%.c $(B)/flags
	@mkdir -p $$(@D)
	$$(CC) $$(CPPFLAGS) $$(CFLAGS_ALL) $$(OPTIMIZE_$(VARIANT)) -DLEVEL=$(1) $$(LEVEL_$(1)) -MMD -MP -c $$< -o $$@
endef
$(foreach level,$(LEVELS),$(eval $(call LEVEL_RULE,$(level))))

# Files that go into the program, as lists of bytes to #include, a 0 behind the last. The charting library is there when scripts/deps.sh
# has fetched it; else its lists are empty, and reports have tables in place of charts. Lists change only when their files have.
CPPFLAGS_page := -Ibuild/embedded
EMBEDDED := src/report/page.html src/report/page.css src/report/page.js $(addprefix vendor/uplot/,uPlot.iife.min.js uPlot.min.css LICENSE)
$(B)/src/report/page.o: $(foreach file,$(EMBEDDED),build/embedded/$(notdir $(file)).inc)

define EMBED_RULE
build/embedded/$(notdir $(1)).inc: FORCE
	@mkdir -p $$(@D)
	@{ if [ -f $(1) ]; then od -An -v -td1 $(1) | sed 's/  */,/g; s/^,//; s/$$$$/,/'; fi; echo 0; } >$$@.new
	@if cmp -s $$@.new $$@; then rm $$@.new; else mv $$@.new $$@; fi
endef
$(foreach file,$(EMBEDDED),$(eval $(call EMBED_RULE,$(file))))

$(patsubst %.c,$(B)/%.o,$(wildcard tests/reference*.c)): CFLAGS_ALL += $(REFERENCE_$(VARIANT))
$(B)/tests/%.o: tests/%.c $(B)/flags
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS) $(CPPFLAGS_$(*F)) $(CFLAGS_ALL) -MMD -MP -c $< -o $@

# All unit tests are one program, which runs the one that it is called by (tests/unit/main.c): the main of each is renamed.
$(B)/tests/unit/test_%.o: tests/unit/test_%.c $(B)/flags
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS) $(CFLAGS_ALL) -MMD -MP -c $< -o $@
	@objcopy --redefine-sym main=test_$*_main $@

$(B)/unit/all: $(UNIT:%=$(B)/tests/unit/%.o) $(B)/tests/unit/main.o $(SUPPORT) $(B)/libcnntrain.a
	@mkdir -p $(@D)
	$(CC) $(CFLAGS_ALL) $(LINK_$(VARIANT)) $(LDFLAGS) $^ $(LDLIBS_ALL) -lcmocka -o $@

$(B)/unit/test_%: $(B)/unit/all
	@ln -sf all $@

CPPFLAGS_main := -I$(B)
$(B)/tests/unit/main.o: $(B)/unit_tests.def

# Rewritten only when they have changed: the compiler and its flags, the unit tests.
$(B)/flags: NOW = $(CC) $(CPPFLAGS) $(CFLAGS_ALL) $(OPTIMIZE_$(VARIANT))
$(B)/unit_tests.def: NOW = ${UNIT:%=TEST(%)}
$(B)/flags $(B)/unit_tests.def: FORCE
	@mkdir -p $(@D)
	@echo '$(NOW)' | cmp -s - $@ || echo '$(NOW)' >$@

unit: $(UNIT:%=$(B)/unit/%)

# Fuzz targets (tests/fuzz/README.md), with clang. What they read and write are files in memory (tests/fuzz/files.c).
FUZZ_CC ?= $(if $(shell command -v ccache),ccache clang,clang)
FUZZ_TARGETS := $(patsubst tests/fuzz/target_%.c,%,$(wildcard tests/fuzz/target_*.c))
FUZZ_SUPPORT := $(patsubst %.c,$(B)/%.o,$(filter-out tests/fuzz/target_%.c,$(wildcard tests/fuzz/*.c)))
FUZZ_LINK := -fsanitize=fuzzer -Wl,--wrap=file_read,--wrap=file_read_ends,--wrap=file_replace,--wrap=file_peek
SECONDS ?= 60

$(B)/targets/config: $(B)/src/tools/list.o
$(B)/targets/cli: $(SHARED)
$(B)/targets/%: $(B)/tests/fuzz/target_%.o $(B)/libfuzz.a $(B)/libcnntrain.a
	@mkdir -p $(@D)
	$(CC) $(CFLAGS_ALL) $(FUZZ_LINK) $(LDFLAGS) $(filter %.o,$^) -Wl,--start-group $(filter %.a,$^) -Wl,--end-group $(LDLIBS_ALL) -o $@

$(B)/libfuzz.a: $(FUZZ_SUPPORT)
	@rm -f $@
	$(AR) rcs $@ $^

ifeq ($(VARIANT),fuzz)
fuzzers: $(FUZZ_TARGETS:%=$(B)/targets/%)
else
fuzzers:
	@$(MAKE) --no-print-directory VARIANT=fuzz CC="$(FUZZ_CC)" fuzzers
endif

fuzz: fuzzers  ## fuzz the parsers, with clang: make fuzz TARGET=png SECONDS=60 (each of them without TARGET)
	@tests/fuzz/fuzzing.py --seconds $(SECONDS) $(TARGET)

demo:  ## on a fresh machine: install, build, get MNIST, train LeNet-5, evaluate it
	@scripts/demo.sh

# As many compilers as there are processors, unless the caller has said how many.
JOBS = $(if $(findstring -j,$(MAKEFLAGS)),,-j$(shell nproc 2>/dev/null || echo 2))

test:  ## install what the tests need, build all variants, run all tests (TIER=ci: tests/reliability too)
	@scripts/deps.sh test
	@$(MAKE) $(JOBS) --no-print-directory all unit
	@$(MAKE) $(JOBS) --no-print-directory VARIANT=asan all unit
	@tests/run

acceptance:  ## the reliability programme at full size, into build/acceptance.md (hours; ONLY="kills soak": a part)
	@scripts/deps.sh ci
	@$(MAKE) $(JOBS) --no-print-directory all unit
	@$(MAKE) $(JOBS) --no-print-directory VARIANT=asan all unit
	@scripts/acceptance.py $(ONLY)

asan:  ## build with the address and undefined-behaviour sanitizers, into build/asan/bin
	@$(MAKE) --no-print-directory VARIANT=asan all

data:  ## get MNIST into data/mnist
	@scripts/data.sh mnist

bench: all  ## five networks and single convolutions against peers (scripts/deps.sh bench), and the cost of all beside them
	@python3 scripts/bench/run.py
	@python3 scripts/bench/threads.py
	@scripts/bench/augmentation.sh
	@scripts/bench/pipeline.py

install: all  ## install the commands and their man pages under PREFIX (default /usr/local)
	install -d $(DESTDIR)$(PREFIX)/bin $(DESTDIR)$(PREFIX)/share/man/man1
	install -m 755 $(TOOLS:%=bin/%) $(DESTDIR)$(PREFIX)/bin
	install -m 644 $(TOOLS:%=man/%.1) $(DESTDIR)$(PREFIX)/share/man/man1

clean:  ## remove what was built
	rm -rf build bin

help:  ## this list
	@sed -n 's/^\([a-z]*\):[^#]*## \(.*\)/  make \1\t\2/p' $(firstword $(MAKEFILE_LIST)) | expand -t 20

FORCE:
.PHONY: all unit fuzz fuzzers demo test acceptance asan data bench install clean help FORCE
.SECONDARY:
.DELETE_ON_ERROR:

-include $(OBJECTS:.o=.d) $(wildcard $(B)/src/tools/*.d $(B)/tests/*.d $(B)/tests/unit/*.d $(B)/tests/fuzz/*.d)
