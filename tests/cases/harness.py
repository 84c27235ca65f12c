"""harness.py: one case of the list of bad inputs: a directory, a command, and what has to come of it.

Each case runs in a directory of its own, with the sanitized and the plain build. Asserted of every run: the exit code,
and no signal; each line of stderr has one of the forms that the specification knows; the faults are those that were
expected, none less and none more; source lines and carets point where the message says; no control
characters; nothing on stdout when it fails; no file made or changed; less than 2 s of processor time and, in the plain
build, less than 64 MiB, if the case does not ask for less."""
import marshal
import os
import re
import shutil
import struct
import subprocess
import sys
import tempfile

MOST_SECONDS = 2.0
MOST_KIB = 64 << 10
MOST_BYTES = 512  # of a message
HANGS = 100  # seconds until a run is ended: the machine may stand still for a while
SERVER = (198, 199)  # descriptors of server.c
ENVIRONMENT = {"PATH": os.environ["PATH"], "LC_ALL": "C", "OMP_WAIT_POLICY": "passive",
               "ASAN_OPTIONS": "exitcode=99:allocator_may_return_null=1",
               "UBSAN_OPTIONS": "exitcode=99:print_stacktrace=1"}

PLACE = r"(?P<place>.+?)"
ANY = None  # in place of a place: one that only the reader of the file can know
FAULT = re.compile(PLACE + r": error: (?P<message>.+)")
WARNING = re.compile(PLACE + r": warning: (?P<message>.+)")
OTHER_LINES = [re.compile(p) for p in (
    r".+: note: .+", r"(cnntrain|cnneval|cnnpredict|cnnview): and \d+ more", r"usage: (cnntrain|cnneval|cnnpredict|cnnview) .*",
    r"try '(cnntrain|cnneval|cnnpredict|cnnview) --help'")]
SOURCE = re.compile(r" *(\d+) \| (.*)")
CARET = re.compile(r"      \| ( *)\^~*")
CONTROL = re.compile(rb"[\x00-\x09\x0b-\x1f\x7f]|\xc2[\x80-\x9f]")


class Case:
    def __init__(self, name, code, faults, command, files=None, prepare=None, shell=None, user=None, stdout=None,
                 writes=False, environment=None, says=None, reports=False, keeps=None, makes=(), lacks=(), lacks_text=None, notes=None, seconds=MOST_SECONDS,
                 kib=MOST_KIB):
        self.name = name                # "S17 filters: abc"
        self.code = code
        self.faults = faults            # [("case.yaml:7:21", "part of the message"), ...]
        self.command = command          # ["cnntrain", "case.yaml"]
        self.files = files or {}        # name -> bytes
        self.prepare = prepare          # f(directory): whatever files cannot say
        self.shell = shell              # 'ulimit -n 8; exec "$@"'
        self.user = user                # run as this user id
        self.stdout = stdout            # a file to take stdout's place
        self.writes = writes            # files may be made or changed
        self.environment = environment or {}
        self.keeps = keeps              # a file that must stay as it is, even when others may change
        self.makes = makes              # files that are there afterwards
        self.lacks = lacks              # names that are not there afterwards
        self.lacks_text = lacks_text    # what must not stand on stdout or stderr, in whatever case
        self.notes = notes              # part of a note below a fault
        self.reports = reports          # prints on stdout although it fails
        self.says = says                # part of stdout or stderr, of a run that succeeds
        self.seconds = seconds          # of processor time at most, and
        self.kib = kib                  # of memory: of the plain build


class Result:
    def __init__(self, code, out, err, seconds, kib, changes):
        self.code, self.out, self.err = code, out, err
        self.seconds, self.kib, self.changes = seconds, kib, changes


def scratch(prefix):
    """A new directory, in memory where that can be had: the commands sync all that they write."""
    memory = "/dev/shm"
    path = tempfile.mkdtemp(prefix=prefix, dir=memory if os.access(memory, os.W_OK | os.X_OK) else None)
    os.chmod(path, 0o755)
    return path


def state(directory):
    """Every name below `directory`, with what tells that it has changed."""
    found = {}
    for folder, folders, names in os.walk(directory):
        for name in folders + names:
            path = os.path.join(folder, name)
            status = os.lstat(path)
            found[os.path.relpath(path, directory)] = (status.st_mode, status.st_size, status.st_mtime_ns,
                                                       status.st_ino)
    return {name: what if not os.path.isdir(os.path.join(directory, name)) else what[0] for name, what in found.items()}


class Programs:
    """Starts the commands of all builds: by server.c where it can be had and the case allows it, else by launcher.py."""

    def __init__(self, builds, preload):
        self.builds, self.preload = builds, preload  # name -> directory; name -> LD_PRELOAD for server.c, or empty
        self.servers = {}
        launcher = [sys.executable, "-I", "-S", os.path.join(os.path.dirname(__file__), "launcher.py")]
        self.launcher = subprocess.Popen(launcher, stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    def serve(self, program, preload):
        """The pipes to and from the server of a program."""
        if program not in self.servers:
            requests, replies = os.pipe(), os.pipe()
            for theirs, descriptor in zip((requests[0], replies[1]), SERVER):
                os.dup2(theirs, descriptor, inheritable=True)
                os.close(theirs)
            subprocess.Popen([program], env={**ENVIRONMENT, "LD_PRELOAD": preload}, pass_fds=SERVER)
            for descriptor in SERVER:
                os.close(descriptor)
            self.servers[program] = requests[1], open(replies[0], "rb")
        return self.servers[program]

    def run(self, case, build, directory, out, err):
        """Exit code, seconds of processor time, KiB."""
        program = os.path.join(self.builds[build], case.command[0])
        arguments = [program] + case.command[1:]
        environment = {**ENVIRONMENT, **case.environment}
        if self.preload and not (case.shell or case.stdout or case.user):
            strings = [directory, out, err, str(HANGS), str(len(arguments)), *arguments, *(f"{k}={v}" for k, v in environment.items())]
            data = b"".join(os.fsencode(string) + b"\0" for string in strings)
            requests, replies = self.serve(program, self.preload[build])
            os.write(requests, struct.pack("=I", len(data)) + data)
            status, time, kib = struct.unpack("=qqq", replies.read(24))
            return os.waitstatus_to_exitcode(status), time / 1e6, kib
        if case.shell:
            arguments = ["/bin/sh", "-c", case.shell, "sh"] + arguments
        request = (arguments, directory, environment, case.stdout or out, err, HANGS,
                   case.user if os.geteuid() == 0 else None)
        marshal.dump(request, self.launcher.stdin)
        self.launcher.stdin.flush()
        status, seconds, kib = marshal.load(self.launcher.stdout)
        return os.waitstatus_to_exitcode(status), seconds, kib


def prepare(case, template, directory):
    """A new `directory`, made from the files of `template` and those of the case."""
    shutil.rmtree(directory, ignore_errors=True)
    os.mkdir(directory)
    for name in os.listdir(template):
        os.link(os.path.join(template, name), os.path.join(directory, name))
    for name, data in case.files.items():
        path = os.path.join(directory, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        if os.path.lexists(path):
            os.unlink(path)
        with open(path, "wb") as file:
            file.write(data)
    if case.prepare:
        case.prepare(directory)
    if case.user is not None:
        os.chmod(directory, 0o777)


def run(case, programs, build, template, directory):
    """The case in a new `directory`."""
    prepare(case, template, directory)
    out, err = directory + ".out", directory + ".err"  # not pipes: a full one would stop the command
    for path in (out, err):
        open(path, "wb").close()
        os.chmod(path, 0o666)
    before = state(directory)
    code, seconds, kib = programs.run(case, build, directory, out, err)
    after = state(directory)
    changes = sorted(name for name in before.keys() | after.keys() if before.get(name) != after.get(name))
    with open(out, "rb") as printed, open(err, "rb") as complained:
        return Result(code, printed.read(), complained.read(), seconds, kib, changes)


def check_source(lines, place, directory):
    """What stands under a fault: its source line as the file has it, and the caret in its column."""
    source, caret = SOURCE.fullmatch(lines[0]), CARET.fullmatch(lines[1]) if len(lines) > 1 else None
    path, line, column = place.rsplit(":", 2)
    if not source or not caret:
        return f"no caret under {lines[0]!r}"
    if int(source[1]) != int(line) or len(caret[1]) != int(column) - 1:
        return f"source line {source[1]} and caret in column {len(caret[1]) + 1}, but the fault is at {line}:{column}"
    if os.path.isfile(os.path.join(directory, path)):
        with open(os.path.join(directory, path), "rb") as file:
            text = file.read().decode(errors="replace").replace("\r\n", "\n").replace("\r", "\n").lstrip("\ufeff")
        real = text.split("\n")[int(line) - 1]
        # What cannot be shown is a '?' of the same width; long lines are cut.
        shown = source[2]
        if "\ufffd" in real:
            real = real.split("\ufffd")[0]
            shown = shown[:len(real)]
        if any(a not in (b, "?", " ") for a, b in zip(shown, real)) or len(shown) > len(real):
            return f"source line is {shown!r}, the file's is {real!r}"
    return None


def read_faults(text, directory):
    """The (place, message) of each fault in stderr, and what is wrong with its lines."""
    faults, wrong = [], []
    lines = text.split("\n")
    if lines.pop() != "":
        wrong.append("the last line of stderr does not end")
    at = 0
    while at < len(lines):
        fault, warning = FAULT.fullmatch(lines[at]), WARNING.fullmatch(lines[at])
        if fault or warning:
            faults += [(fault["place"], fault["message"])] if fault else []
            if len((fault or warning)["message"].encode()) > MOST_BYTES:
                wrong.append(f"a message of more than {MOST_BYTES} bytes")
            if at + 1 < len(lines) and SOURCE.fullmatch(lines[at + 1]):
                problem = check_source(lines[at + 1:at + 3], (fault or warning)["place"], directory)
                wrong += [problem] if problem else []
                at += 2
        elif not any(pattern.fullmatch(lines[at]) for pattern in OTHER_LINES):
            wrong.append(f"unexpected line on stderr: {lines[at]!r}")
        at += 1
    return faults, wrong


def check(case, result, directory, plain):
    """What is wrong with the result: a list of sentences, empty when it is right."""
    wrong = []
    if result.code != case.code:
        wrong.append(f"exit code {result.code}, expected {case.code}")
    if CONTROL.search(result.err):
        wrong.append("control characters on stderr")
    try:
        text = result.err.decode()
    except UnicodeDecodeError:
        wrong.append("stderr is not UTF-8")
        text = result.err.decode(errors="replace")
    if case.code != 0:
        wanted = case.faults
        faults, bad_lines = read_faults(text, directory)
        wrong += bad_lines
        if result.out and not case.reports:
            wrong.append(f"{len(result.out)} bytes on stdout of a run that failed")
        if len(faults) != len(case.faults):
            wrong.append(f"{len(faults)} faults, expected {len(case.faults)}")
        if ANY not in dict(case.faults):
            faults, wanted = sorted(faults), sorted(case.faults)
        for (place, message), (wanted_place, wanted_message) in zip(faults, wanted):
            if wanted_place != ANY and place != wanted_place:
                wrong.append(f"fault at {place!r}, expected at {wanted_place!r}")
            if wanted_message not in message:
                wrong.append(f"message {message!r} lacks {wanted_message!r}")
    elif "error:" in text:
        wrong.append("an error was printed")
    if case.notes is not None and not re.search(r": note: .*" + re.escape(case.notes), text):
        wrong.append(f"no note has {case.notes!r}")
    if case.says is not None and case.says not in text + result.out.decode(errors="replace"):
        wrong.append(f"lacks {case.says!r}")
    if (result.changes and not case.writes) or case.keeps in result.changes:
        wrong.append(f"made or changed: {', '.join(result.changes)}")
    wrong += [f"made {name}" for name in case.lacks if os.path.lexists(os.path.join(directory, name))]
    if case.lacks_text and case.lacks_text in (text + result.out.decode(errors="replace")).lower():
        wrong.append(f"says {case.lacks_text!r}")
    wrong += [f"made no {name}" for name in case.makes if not os.path.isfile(os.path.join(directory, name))]
    if result.seconds > (case.seconds if plain else max(case.seconds, MOST_SECONDS)):
        wrong.append(f"took {result.seconds:.3f} s, at most {case.seconds} s")
    if plain and result.kib > case.kib:
        wrong.append(f"took {result.kib >> 10} MiB, at most {case.kib >> 10} MiB")
    return wrong
