#!/usr/bin/env python3
"""Hygiene of the program: what its build promises is read in what was built.

Hardening: each command in bin/ is read with readelf: position independent, relocations read-only before main starts (RELRO
and BIND_NOW), no executable stack, no segment both writable and executable, no search path for libraries, stack protector
called, printf and its like in the checked form; on x86-64 each object is marked for indirect-branch tracking and shadow stacks.
Forbidden calls: none of the commands imports one (tests/system/style.py looks for them in the source).
The same at both tiers."""
import os
import re
import shutil
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from runs import BIN, ROOT, Skip, equal, run_tests  # noqa: E402

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


run_tests([commands_load_safely, commands_check_themselves, objects_are_marked, nothing_forbidden_is_imported])
