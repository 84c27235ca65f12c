#!/usr/bin/env python3
"""Hygiene of the program: what its build promises is read in what was built.

Hardening: each command in bin/ is read with readelf: position independent, relocations read-only before main starts (RELRO
and BIND_NOW), no executable stack, no segment both writable and executable, no search path for libraries, stack protector
called, printf and its like in the checked form; on x86-64 each object is marked for indirect-branch tracking and shadow stacks.
Forbidden calls: none of the commands imports one (tests/system/style.py looks for them in the source).
Stack: no function takes more than 16 KiB (the kernels' blocks 17) or an amount that is found out at run time (no VLA, no alloca). Recursion: the direct
calls in the commands have no cycles but those listed below, each with its bound. (Calls through pointers are not seen: the
decoders of options call each other by their tables, at most as deep as the YAML tree, 32.)
Warnings: gcc and clang are silent with the list below. cppcheck finds nothing (TIER=ci: in three folders; full: in all but
the kernels). gcc -fanalyzer and clang-tidy (with .clang-tidy) find nothing but what lib/findings.py lists with a reason (TIER=ci:
in what reads foreign bytes, most of src/base, src/config and src/data; full: in all but the kernels, whose vectors they don't follow)."""
import concurrent.futures
import os
import re
import shutil
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "lib"))
import findings  # noqa: E402
from runs import BIN, ROOT, Skip, equal, run_tests  # noqa: E402

FULL = os.environ.get("TIER") == "full"
TOOLS = ("cnntrain", "cnneval", "cnnpredict", "cnnview")
# In the checked form (with _chk) whatever their arguments, since 2 of FORTIFY_SOURCE means no %n and no unbounded length.
FORTIFIED = ("printf", "fprintf", "vprintf", "vfprintf", "sprintf", "vsprintf")
# Unbounded, or with state of the whole process, or numbers without errors, or a shell; setjmp is libjpeg's way out of an error.
FORBIDDEN = """strcpy stpcpy strcat sprintf vsprintf __strcpy_chk __stpcpy_chk __strcat_chk __sprintf_chk __vsprintf_chk gets
               atoi atol atoll atof scanf sscanf fscanf __isoc99_sscanf __isoc99_fscanf __isoc99_scanf system popen execvp execlp
               strtok strtok_r rand srand random drand48 localtime gmtime ctime asctime setlocale tmpnam tempnam mktemp wordexp
               putenv setenv chdir dlopen dlsym getwd""".split()
FORBIDDEN_PREFIXES = ("__isoc99_", "__isoc23_scanf", "__isoc23_sscanf", "__isoc23_fscanf")


def need(*tools):
    for tool in tools:
        if not shutil.which(tool):
            raise Skip(f"{tool} is not installed")


def output_of(*command):
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True, env=dict(os.environ, LC_ALL="C")).stdout


def commands():
    need("readelf")
    for tool in TOOLS:
        yield tool, os.path.join(BIN, tool)


def imports(path):
    """The names that the command takes from shared libraries, without their versions."""
    return {name.split("@")[0] for name in re.findall(r"\bUND (\S+)", output_of("readelf", "--dyn-syms", "-W", path))}


def commands_load_safely():
    """each command is position independent, its relocations are read-only, its stack is not executable"""
    for tool, path in commands():
        head, segments, dynamic = (output_of("readelf", option, path) for option in ("-hW", "-lW", "-dW"))
        kinds = {}
        for kind, flags in re.findall(r"^ +([A-Z_]+) +0x\S+ 0x\S+ 0x\S+ 0x\S+ 0x\S+ ([R ][W ][E ])", segments, re.M):
            kinds.setdefault(kind, []).append(flags)
        assert re.search(r"Type: +DYN", head) and re.search(r"FLAGS_1.*\bPIE\b", dynamic), f"{tool}: not position independent"
        assert "GNU_RELRO" in kinds, f"{tool}: no RELRO"
        assert re.search(r"\(FLAGS\).*\bBIND_NOW\b", dynamic), f"{tool}: no BIND_NOW"
        equal(kinds.get("GNU_STACK"), ["RW "], f"{tool}: the stack's rights")
        assert len(kinds["LOAD"]) >= 3, f"{tool}: {kinds}"
        assert not [flags for flags in sum(kinds.values(), []) if "W" in flags and "E" in flags], f"{tool}: {kinds}"
        for bad in ("RPATH", "RUNPATH", "TEXTREL"):
            assert bad not in dynamic, f"{tool}: {bad}"


def commands_check_themselves():
    """each command has stack canaries and the checked forms of the library's calls"""
    for tool, path in commands():
        found = imports(path)
        assert "__stack_chk_fail" in found, f"{tool}: no stack protector"
        equal(sorted(found & set(FORTIFIED)), [], f"{tool}: unchecked calls")
        for name in ("__printf_chk", "__snprintf_chk", "__vsnprintf_chk"):
            assert name in found, f"{tool}: no {name}"


def objects_are_marked():
    """on x86-64 each object is made for indirect-branch tracking and shadow stacks"""
    need("readelf")
    archive = os.path.join(ROOT, "build", "release", "libcnntrain.a")
    notes = re.findall(r"^File: .*?\((.*?)\)$(.*?)(?=^File: |\Z)", output_of("readelf", "-nW", archive), re.M | re.S)
    assert len(notes) > 100, f"only {len(notes)} objects in {archive}"
    if "X86-64" not in output_of("readelf", "-hW", archive):
        raise Skip("not x86-64")
    bad = [name for name, note in notes if "x86 feature: IBT, SHSTK" not in note]
    equal(bad, [], "objects without the mark")
    print(f"# figure: objects marked for indirect-branch tracking and shadow stacks: {len(notes)} of {len(notes)}")


def nothing_forbidden_is_imported():
    """no command imports a forbidden call"""
    for tool, path in commands():
        found = imports(path)
        bad = sorted(name for name in found if name in FORBIDDEN or name.startswith(FORBIDDEN_PREFIXES))
        equal(bad, [], f"{tool}: forbidden imports")
        assert len(found) > 50, f"{tool}: only {len(found)} imports read"
        print(f"# figure: forbidden calls among the imports of {tool}: 0 of {len(found)}")


MOST_STACK = 16384
BLOCKS = re.compile(r"block_\d_\d_\d(\.\w+)*")  # of convolutions: sums of 16 KiB, and what their loops hold besides
MOST_BLOCK = 17408


def stack_is_bounded():
    """no function takes more than 16 KiB of stack (blocks of kernels: 17), or an amount found out at run time"""
    most = block = (0, "")
    for tool, path in commands():
        if "X86-64" not in output_of("readelf", "-hW", path):
            raise Skip("not x86-64: the frames are read in its code")
        here, size, probed, count, bad = "", 0, False, 0, []
        for line in output_of("objdump", "-d", "--no-show-raw-insn", "-j", ".text", path).splitlines():
            begin = re.match(r"^[0-9a-f]+ <(.+)>:$", line)
            if begin:
                here, size, probed, count = begin.group(1), 0, False, count + 1
                continue
            # "sub $n,%rsp"; of a large frame "lea -n(%rsp),%r11" and a loop of "sub $0x1000,%rsp" that probes page by page, then the rest
            probe = re.search(r"\blea +-0x([0-9a-f]+)\(%rsp\),%r11", line)
            frame = re.search(r"\bsub +\$0x([0-9a-f]{1,7}),%rsp", line)
            if probe:
                size, probed = size + int(probe.group(1), 16), True
            elif frame and not (probed and frame.group(1) == "1000"):
                size += int(frame.group(1), 16)
            elif re.search(r"\bsub +%r\w+,%rsp", line):
                bad.append(f"{here}: an amount found out at run time")
            is_block = BLOCKS.fullmatch(here)
            if is_block:
                block = max(block, (size, here))
            else:
                most = max(most, (size, here))
            if size > (MOST_BLOCK if is_block else MOST_STACK) and (probe or frame):
                bad.append(f"{here}: {size}")
        assert count > 500, f"{tool}: only {count} functions"
        equal(bad, [], tool)
    print(f"# figure: most stack of one function, bytes: {most[0]} ({most[1]}); of a kernel's block: {block[0]} ({block[1]})")


# Functions that call themselves or each other, and what bounds that.
RECURSIONS = {
    ("real_cos_pi",): "once: from (1/2, 1] to [0, 1/2]",
    ("options_list",): "as deep as the tables of options, which are constant",
    ("differ", "differ_at"): "as deep as the tables of options: both texts are by the same emitter",
    ("take_step",): "lists of augmentations inside each other, MOST_DEPTH",
    ("check_colours",): "the same lists", ("depth_of",): "the same lists, by which they are refused: at most YAML's depth of 32",
    ("take_entry", "walk"): "folders inside each other, DEPTH_MAX",
}


def calls_of(path):
    """{address: (name, addresses of the functions that it calls or jumps to)} of a command's code."""
    graph, here = {}, None
    for line in output_of("objdump", "-d", "--no-show-raw-insn", "-j", ".text", path).splitlines():
        begin = re.match(r"^0*([0-9a-f]+) <(.+)>:$", line)
        if begin:
            here = begin.group(1)
            graph[here] = (begin.group(2), set())
            continue
        call = re.search(r"\b(call|jmp|bl|b)\s+([0-9a-f]+) <[^+>]+>$", line)
        if call and here and not (call.group(1) in ("jmp", "b") and call.group(2) == here):  # a loop back to the first line
            graph[here][1].add(call.group(2))
    return graph


def cycles_of(graph):
    """Tarjan's strongly connected components with an edge inside, as sorted names; without recursion of its own."""
    index, low, stack, found = {}, {}, [], set()
    for root in graph:
        work = [(root, iter(graph[root][1]))] if root not in index else []
        if work:
            index[root] = low[root] = len(index)
            stack.append(root)
        while work:
            at, calls = work[-1]
            following = next((call for call in calls if call in graph), None)
            if following is None:
                work.pop()
                if work:
                    low[work[-1][0]] = min(low[work[-1][0]], low[at])
                if low[at] == index[at]:
                    members = stack[stack.index(at):]
                    del stack[stack.index(at):]
                    if len(members) > 1 or at in graph[at][1]:
                        found.add(tuple(sorted(re.sub(r"\.(constprop|isra|part|cold)\S*", "", graph[m][0]) for m in members)))
            elif following not in index:
                index[following] = low[following] = len(index)
                stack.append(following)
                work.append((following, iter(graph[following][1])))
            elif following in stack:
                low[at] = min(low[at], index[following])
    return found


def no_recursion():
    """no function calls itself or others in a circle, but those whose depth is bounded"""
    need("objdump")
    for tool, path in commands():
        graph = calls_of(path)
        assert len(graph) > 500, f"{tool}: only {len(graph)} functions"
        circles = cycles_of(graph)
        equal(sorted(circles - set(RECURSIONS)), [], f"{tool}: recursion without a known bound")
        print(f"# figure: recursions among the {len(graph)} functions of {tool}, all bounded: {len(circles)}")


# Nothing of -Wpedantic is left out: what is GNU C says so with __extension__. Signs may change where sizes are computed from
# dimensions that a plan has checked (int to size_t): in the network, the kernels and what draws and explains them. Where
# numbers come from outside they may not.
WARNINGS = """-Wall -Wextra -Wpedantic -Wconversion -Wshadow -Wvla -Wformat=2 -Wstrict-prototypes -Wmissing-prototypes -Wpointer-arith
              -Wcast-qual -Wwrite-strings -Wundef -Wold-style-definition -Wno-missing-field-initializers -Werror""".split()
SIGNS = ("base", "config", "data", "train", "report", "optim")
NO_SIGNS = ("src/train/whiten.c",)  # matrices of a size that it has chosen itself
LIBRARIES = ("yaml-0.1", "zlib", "libdeflate", "jansson", "libjpeg")


def flags():
    return ["-std=gnu11", "-D_GNU_SOURCE", "-Isrc", "-Ibuild/embedded", '-DVERSION="x"', "-fopenmp",
            *output_of("pkg-config", "--cflags", *LIBRARIES).split()]


def sources():
    for folder, _, names in sorted(os.walk(os.path.join(ROOT, "src"))):
        for name in sorted(names):
            path = os.path.relpath(os.path.join(folder, name), ROOT)
            if name.endswith(".c"):
                kernel = path.startswith("src/kernels/") and name != "levels.c"
                yield path, ["-DLEVEL=generic"] if kernel else []


def over_sources(command_of, items=None):
    """What a command says of each source, two at a time; (how many, what is said)."""
    def ask(item):
        done = subprocess.run(command_of(*item), cwd=ROOT, capture_output=True, text=True, check=False,
                              env=dict(os.environ, LC_ALL="C"))
        return (done.stdout + done.stderr).strip() or ("" if done.returncode == 0 else f"{item[0]}: exit {done.returncode}")
    items = items or list(sources())
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        return len(items), [text for text in pool.map(ask, items) if text]


def silent(compiler):
    def test():
        need(compiler, "pkg-config")
        common = flags()
        count, said = over_sources(lambda path, more: [
            compiler, *common, *more, *WARNINGS, "-Wsign-conversion" if path.split("/")[1] in SIGNS and path not in NO_SIGNS else "-Wno-sign-conversion",
            "-fsyntax-only", path])
        assert not said, "\n".join(said)[:6000]
        print(f"# figure: warnings of {compiler} in {count} sources: 0")
    test.__doc__ = f"{compiler} has nothing to warn of"
    return test


def cppcheck():
    """cppcheck finds nothing"""
    need("cppcheck")
    # kernels: macros make their bodies for each level, which it cannot follow
    names = sorted(os.listdir(os.path.join(ROOT, "src"))) if FULL else ["base", "config", "report"]
    folders = [f"src/{name}" for name in names if name != "kernels"]
    done = subprocess.run(["cppcheck", "--quiet", "--std=c11", "-j2", "--enable=warning,portability,performance", "--error-exitcode=1",
                           # the run's profile is a variable of the function that also ends the run
                           "--suppress=autoVariables:src/tools/cnntrain.c",
                           "-Isrc", "-Ibuild/embedded", "-D_GNU_SOURCE", '-DVERSION="x"', "-D__x86_64__", *folders], cwd=ROOT,
                          capture_output=True, text=True, check=False)
    assert done.returncode == 0 and not done.stderr.strip(), done.stderr[:6000]
    print(f"# figure: findings of cppcheck in {', '.join(folders)}: 0")


# What reads foreign bytes: of these folders all but what only computes.
FOREIGN_BYTES = re.compile(r"src/(base|config|data)/(?!augment|balance|beta|fit|resize|tile|subset|convert|input|arena|half|flip"
                           r"|memory|real|rng|room)\w+\.c")
NO_RETURNS = ("src/base/error.c", "src/tools/cli.c")  # which have the functions that lib/returns.h tells of


def analyzed():
    """The sources to analyze. stb_image.c is others' code, and takes as long as thirty of ours: at full size only."""
    for path, more in sources():
        if not path.startswith("src/kernels/") and (
                FULL or FOREIGN_BYTES.fullmatch(path) and path != "src/data/stb_image.c"):
            yield path, more + ([] if path in NO_RETURNS else ["-include", "tests/reliability/lib/returns.h"])


def of_version(tool, version):
    need(tool, "pkg-config")
    found = re.search(r"(?:version |\) )(\d+)\.", output_of(tool, "--version"))
    if not found or found[1] != version:
        raise Skip(f"{tool} is not of version {version}, which lib/findings.py is for")


def compare(tool, count, said, pattern, accepted):
    """What `pattern` finds in the texts `said` of `count` sources, against the list of what is accepted."""
    unlisted, used, seen = [], set(), set()
    for text in said:
        for found in re.finditer(pattern, text, re.M):
            path, line, check = os.path.relpath(os.path.join(ROOT, found["path"]), ROOT), int(found["line"]), found["check"]
            if not path.startswith("src/"):
                continue  # others' code that is included
            with open(os.path.join(ROOT, path), encoding="utf-8") as file:
                source = file.read().splitlines()[line - 1]
            rows = [i for i, row in enumerate(accepted) if row[0] == path and row[1] == check and row[2] in source]
            seen.add((path, line, check))
            used.update(rows)
            if not rows:
                unlisted.append(found[0])
        if not re.search(pattern, text, re.M) and re.search(r"(warning|error): ", text):
            unlisted.append(text)
    names = {path for path, _ in analyzed()}
    idle = [row for i, row in enumerate(accepted) if i not in used and row[0] in names]
    assert not unlisted, "\n".join(sorted(set(unlisted)))[:6000]
    equal(idle, [], f"rows of lib/findings.py that {tool} finds nothing for")
    print(f"# figure: findings of {tool} in {count} sources: {len(seen)}, each accepted with a reason; not accepted: 0")


def gcc_analyzer():
    """gcc -fanalyzer finds nothing that is not accepted with a reason"""
    of_version("gcc", findings.GCC)
    common = flags()
    # -O0: what the optimizer makes of the code has more ways through it that are none
    count, said = over_sources(lambda path, more: [
        "gcc", *common, *more, "-O0", "-fanalyzer", "-fdiagnostics-plain-output", "-fdiagnostics-path-format=none",
        "-S", "-o", os.devnull, path], list(analyzed()))
    compare("gcc -fanalyzer", count, said, r"^(?P<path>\S+?):(?P<line>\d+):\d+: warning: .*\[-Wanalyzer-(?P<check>\S+)\]$",
            findings.GCC_ACCEPTED)


def clang_tidy():
    """clang-tidy finds nothing that is not accepted with a reason"""
    of_version("clang-tidy", findings.TIDY)
    common = flags()
    count, said = over_sources(lambda path, more: ["clang-tidy", "--quiet", path, "--", *common, *more], list(analyzed()))
    said = [re.sub(r"^\d+ warnings? generated\.$", "", text, flags=re.M) for text in said]
    compare("clang-tidy", count, said, r"^(?P<path>\S+?):(?P<line>\d+):\d+: warning: .*\[(?P<check>[a-z][^\s,\]]*)[^\]]*\]$",
            findings.TIDY_ACCEPTED)


run_tests([commands_load_safely, commands_check_themselves, objects_are_marked, nothing_forbidden_is_imported, stack_is_bounded,
           no_recursion, silent("gcc"), silent("clang"), cppcheck, gcc_analyzer, clang_tidy])
