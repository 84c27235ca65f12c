"""command.py: command lines (group C) and the world around a run: descriptors, limits, rights, full disks (group E)."""
import os
import socket

from cases.base import BASE, NAME, edited
from cases.harness import ANY, Case

TESTSET = "t10k-images-idx3-ubyte"
ESCAPE = "\x1b[31m"
NOBODY = 65534

# id, arguments (the command first), message
USAGE = [
    ("C02 unknown option", ["cnntrain", "--ouptut", "x", "base.yaml"],
     "unknown option '--ouptut'; did you mean '--output'?"),
    ("C02b nothing near", ["cnntrain", "--colour", "base.yaml"], "unknown option '--colour'"),
    ("C02c unknown letter", ["cnntrain", "-z", "base.yaml"], "unknown option '-z'"),
    ("C02d could be two", ["cnntrain", "--re", "base.yaml", "--ver"], "'--ver' could be"),
    ("C02e a letter that is no letter", ["cnntrain", "-\x01", "base.yaml"], "unknown option '-\\x01'"),
    ("C02f value for a flag", ["cnntrain", "--resume=yes", "base.yaml"], "--resume takes no value"),
    ("C03 no value", ["cnntrain", "base.yaml", "--threads"], "--threads needs a value"),
    ("C03b empty value", ["cnntrain", "--output=", "base.yaml"], "--output must not be empty, got ''"),
    ("C04 abc", ["cnntrain", "--threads", "abc", "base.yaml"], "--threads must be 1 to 1024, got 'abc'"),
    ("C05 -1", ["cnntrain", "--threads", "-1", "base.yaml"], "--threads must be 1 to 1024, got '-1'"),
    ("C06 out of range", ["cnntrain", "-t", "99999999999999999999", "base.yaml"], "--threads must be 1 to 1024"),
    ("C06b 2^32+1", ["cnntrain", "-t4294967297", "base.yaml"], "--threads must be 1 to 1024"),
    ("C14 0", ["cnntrain", "--threads=0", "base.yaml"], "--threads must be 1 to 1024, got '0'"),
    ("C14b 100000", ["cnntrain", "--threads=100000", "base.yaml"], "--threads must be 1 to 1024"),
    ("C14d 1,025", ["cnntrain", "--threads=1025", "base.yaml"], "--threads must be 1 to 1024, got '1025'"),
    ("C14c 2 threads", ["cnntrain", "--threads", "2 ", "base.yaml"], "--threads must be 1 to 1024, got '2 '"),
    ("C07 twice", ["cnntrain", "-o", "a", "-o", "b", "base.yaml"], "--output is given twice"),
    ("C08 two configs", ["cnntrain", "base.yaml", "other.yaml"], "unexpected argument 'other.yaml'"),
    ("C08b no config", ["cnntrain", "--quiet"], "CONFIG.yaml"),
    ("C08c --list and a config", ["cnntrain", "--list=layers", "base.yaml"], "unexpected argument 'base.yaml'"),
    ("C08d --list of what there is not", ["cnntrain", "--list", "lairs"], "--list must be config | layers | "),
    ("C35 --progress sometimes", ["cnntrain", "--progress", "sometimes", "base.yaml"],
     "--progress must be auto | always | never"),
    ("C17 --resume and --fresh", ["cnntrain", "--resume", "--fresh", "base.yaml"],
     "--resume and --fresh cannot be combined"),
    ("C17c --check-data and --resume", ["cnntrain", "--check-data", "--resume", "base.yaml"],
     "--check-data does not train: --resume cannot be combined with it"),
    ("C17d --check-data and --dry-run", ["cnntrain", "--check-data", "-n", "base.yaml"],
     "--check-data does not train: --dry-run cannot be combined with it"),
    ("C17e --check-data and --profile", ["cnntrain", "--check-data", "--profile", "base.yaml"],
     "--check-data does not train: --profile cannot be combined with it"),
    ("C17f --profile of something", ["cnntrain", "--profile=layers", "base.yaml"], "--profile takes no value"),
    ("C17g --profile and --json", ["cnneval", "--profile", "--json", "model.bin", TESTSET],
     "--profile and --json cannot be combined: both print on stdout"),
    ("C17h --profile and --csv -", ["cnneval", "--profile", "--csv", "-", "model.bin", TESTSET],
     "--profile and --csv - cannot be combined: both print on stdout"),
    ("C17j --gradcheck and --fresh", ["cnntrain", "--gradcheck", "--fresh", "base.yaml"],
     "--gradcheck does not train: --fresh cannot be combined with it"),
    ("C17k --gradcheck and --check-data", ["cnntrain", "--gradcheck", "--check-data", "base.yaml"],
     "--check-data and --gradcheck cannot be combined"),
    ("C17l --doctor and a config", ["cnntrain", "--doctor", "run", "base.yaml"], "unexpected argument 'base.yaml'"),
    ("C17m --doctor of nothing", ["cnntrain", "--doctor"], "--doctor needs a value"),
    ("C17i --explain of what there is not", ["cnnview", "--explain", "conf", "model.bin"],
     "--explain must be one of conv, "),
    ("C17b -q and -v", ["cnntrain", "-qv", "base.yaml"], "--quiet and --verbose cannot be combined"),
    ("C19 escapes in an option", ["cnntrain", "--" + ESCAPE, "base.yaml"], "unknown option '--\\x1B[31m'"),
    ("C19b escapes in an argument", ["cnntrain", "base.yaml", ESCAPE], "unexpected argument '\\x1B[31m'"),
    ("C20 an argument of 100 KiB", ["cnntrain", "base.yaml", "a" * 102400],
     "unexpected argument '" + "a" * 80 + "...'"),
    ("C20b an option of 100 KiB", ["cnntrain", "--" + "a" * 102400, "base.yaml"], "unknown option '--aaaa"),
    ("C21c no image", ["cnnpredict", "model.bin"], "IMAGE"),
    ("C21d the standard input twice", ["cnnpredict", "model.bin", "-", "-"], "'-' can be given once only"),
    ("C25c --top-k 11 of 10 (cnnpredict)", ["cnnpredict", "--top-k", "11", "model.bin", "x.png"],
     "--top-k must be 1 to 10, the number of classes, got '11'"),
    ("C21 no test set", ["cnneval", "model.bin"], "TESTSET"),
    ("C21b three arguments", ["cnneval", "model.bin", TESTSET, "more"], "unexpected argument 'more'"),
    ("C22 --min-accuracy 1.5", ["cnneval", "--min-accuracy", "1.5", "model.bin", TESTSET],
     "--min-accuracy must be 0 to 1, or"),
    ("C22b -0.1", ["cnneval", "--min-accuracy=-0.1", "model.bin", TESTSET], "--min-accuracy must be 0 to 1, or"),
    ("C22c 101%", ["cnneval", "--min-accuracy=101%", "model.bin", TESTSET], "0% to 100%, got '101%'"),
    ("C22d nan", ["cnneval", "--min-accuracy=nan", "model.bin", TESTSET], "--min-accuracy must be 0 to 1"),
    ("C26 --part of a set without parts", ["cnneval", "--part", "train", "model.bin", TESTSET],
     "--part train needs a config as TESTSET"),
    ("C26b no such part", ["cnneval", "--part=dev", "model.bin", "base.yaml"],
     "--part must be test | validation | train, got 'dev'"),
    ("C25 --top-k 0", ["cnneval", "--top-k", "0", "model.bin", TESTSET], "--top-k must be 1 to 65536, got '0'"),
    ("C25b --top-k 11 of 10", ["cnneval", "--top-k", "11", "model.bin", TESTSET],
     "--top-k must be 1 to 10, the number of classes, got '11'"),
    ("C36 --json and --csv -", ["cnneval", "--json", "--csv", "-", "model.bin", TESTSET],
     "--json and --csv - cannot be combined"),
    ("C27 CNNTRAIN_CPU", ["cnneval", "model.bin", TESTSET], "CNNTRAIN_CPU must be generic, avx2 or avx512, got 'z80'"),
]
# id, arguments, place, message; exit code 6
FILES = [
    ("C09 no such config", ["cnntrain", "nope.yaml"], "nope.yaml", "cannot open: No such file or directory"),
    ("C09b (cnneval)", ["cnneval", "model.bin", "nope.yaml"], "nope.yaml", "cannot open: No such file or directory"),
    ("C23 -- and a file called -x", ["cnntrain", "--", "-x"], "-x", "cannot open: No such file or directory"),
    ("C28 a name with escapes", ["cnntrain", ESCAPE], "\\x1B[31m", "cannot open"),
    ("C28b a name that is no UTF-8", ["cnntrain", b"\xff\xfe.yaml"], "\\xFF\\xFE.yaml", "cannot open"),
    ("C28c an empty name", ["cnntrain", ""], ANY, "cannot open"),
    ("C28d --doctor of no run", ["cnntrain", "--doctor", "nowhere"], "nowhere/log.csv",
     "cannot open: No such file or directory"),
    ("C29 --csv into nothing", ["cnneval", "--csv", "no/such/x.csv", "model.bin", TESTSET], "no/such/x.csv",
     "No such file or directory"),
]
OUTPUTS = [  # id, --output, prepare, place, message
    ("E02 a file as output", "out", lambda d: write(d + "/out", b""), "out", "Not a directory"),
    ("E02b below a file", "out/run", lambda d: write(d + "/out", b""), "out/run", "Not a directory"),
    *[(f"E17 {name} is a symbolic link", "run", lambda d, name=name: link(d, name), None, None)
      for name in ("log.csv", "model.bin", "config.yaml")],
    *[(f"E19 {name} is a directory", "run", lambda d, name=name: os.makedirs(d + "/run/" + name), "run/" + name,
       "s a directory")
      for name in ("log.csv", "model.bin", "config.yaml")],
    ("E20 .lock is a symbolic link", "run", lambda d: link(d, ".lock"), "run", "Too many levels of symbolic links"),
    ("E20b .lock is a directory", "run", lambda d: os.makedirs(d + "/run/.lock"), "run", "Is a directory"),
    ("E31 the path too long", "a" * 300, None, "a" * 300, "File name too long"),
    ("E31b 4,096 bytes", "a/" * 2048 + "a", None, ANY, "File name too long"),
]


def write(path, data):
    with open(path, "wb") as file:
        file.write(data)


def link(directory, name):
    """An output directory with a link out of it, to a file that nobody may touch."""
    os.mkdir(directory + "/run")
    write(directory + "/victim", b"precious")
    os.symlink("../victim", directory + "/run/" + name)


def listen(path):
    """A socket in the file system; it stays when it is closed. Its path must be short."""
    here = os.getcwd()
    os.chdir(os.path.dirname(path))
    with socket.socket(socket.AF_UNIX) as end:
        end.bind(os.path.basename(path))
    os.chdir(here)


def command_lines():
    for program in ("cnntrain", "cnneval", "cnnpredict", "cnnview"):
        yield Case(f"C01 nothing at all ({program})", 2, [], [program], says=f"usage: {program} [options]")
    for name, command, message in USAGE:
        environment = {"CNNTRAIN_CPU": "z80"} if "CPU" in name else {}
        yield Case(name, 2, [(command[0], message)], command, environment=environment)
    for name, command, place, message in FILES:
        yield Case(name, 6, [(place, message)], command)
    for name, make, code, message in (
            ("C10 a directory as config", os.mkdir, 6, "is a directory"),
                                      ("C11 a FIFO", os.mkfifo, 6, "not a regular file"),
            ("C11b a socket", listen, 6, "cannot open")):
        yield Case(name, code, [("c.yaml", message)], ["cnntrain", "c.yaml"],
                   prepare=lambda d, make=make: make(os.path.join(d, "c.yaml")))
    yield Case("C12 /dev/zero", 6, [("/dev/zero", "not a regular file")], ["cnntrain", "/dev/zero"])
    for name, command, says in (("C30 --help", ["cnntrain", "--help"], "usage: cnntrain [options] CONFIG.yaml"),
                                ("C30b --help before a fault", ["cnneval", "-h", "--nonsense"], "usage: cnneval"),
                                ("C31 --version", ["cnneval", "--version"], "cnneval "),
                                ("C32 --list", ["cnntrain", "--list"], "batch_size"),
                                ("C14t 1,024 threads", ["cnntrain", "-t", "1024", "--list=losses"], "cross_entropy"),
                                ("C33 an option cut short", ["cnntrain", "--dry", "base.yaml"], "conv1")):
        yield Case(name, 0, [], command, says=says)
    evaluate = ["cnneval", "--part", "validation", "model.bin", "part.yaml"]
    yield Case("C26c no validation set", 3, [("part.yaml:1:7", "there is no data.validation to measure the model on")],
               evaluate, {"part.yaml": b"data: {train: train-images-idx3-ubyte}\nnetwork: [dense: 10]\n"})
    yield Case("C26d no training set", 3, [("part.yaml:1:7", "there is no data.train to measure the model on")],
               evaluate, {"part.yaml": b"data: {test: train-images-idx3-ubyte, validation: 0.5}\nnetwork: [dense: 10]\n"})
    yield Case("C26e a limit above the set", 3, [("part.yaml:1:47", "'limit' 65 is more than the training set")],
               evaluate, {"part.yaml": b"data: {train: train-images-idx3-ubyte, limit: 65}\nnetwork: [dense: 10]\n"})
    yield Case("C26t its part of train", 0, [], ["cnneval", "--part", "train", "model.bin", "base.yaml"],
               says="accuracy ")
    yield Case("C34 --min-accuracy not met", 1, [("cnneval", "accuracy 0.09375 is below --min-accuracy 1")],
               ["cnneval", "--csv", "x.csv", "--min-accuracy", "100%", "model.bin", TESTSET], writes=True, reports=True)
    yield Case("C24 no argv[0] at all", 2, [], ["cnntrain"], shell='exec bash -c "exec -a \'\' \\"\\$0\\"" "$1"',
               says="usage: cnntrain")


def unfinished(trained):
    run = {f"run/{name}": trained[name] for name in ("model.bin", "log.csv", "config.yaml")}
    data, _ = trained["checkpoint"].edit('"finished":"1"', '"finished":"0"')
    yield Case("C18 the output holds an unfinished run", 9,
               [("run", "holds an unfinished run: --resume goes on with it")],
               ["cnntrain", "base.yaml"], {"run/checkpoint.bin": data, **run})
    yield Case("C18b or a checkpoint that cannot be read", 9, [("run", "holds an unfinished run")],
               ["cnntrain", "base.yaml"], {"run/checkpoint.bin": b"", **run})
    yield Case("C18c or a checkpoint that is a directory", 9, [("run", "holds an unfinished run")],
               ["cnntrain", "base.yaml"], prepare=lambda d: os.makedirs(d + "/run/checkpoint.bin"))
    yield Case("C18t --fresh throws it away", 0, [], ["cnntrain", "--fresh", "base.yaml"],
               {"run/checkpoint.bin": data, **run},
               writes=True)
    yield Case("C18u a finished one is replaced", 0, [], ["cnntrain", "base.yaml"],
               {"run/checkpoint.bin": trained["checkpoint.bin"], **run}, writes=True)


def surroundings():
    for name, output, prepare, place, message in OUTPUTS:
        yield Case(name, 6 if message else 0, [(place, message)] if message else [],
                   ["cnntrain", "-q", "-o", output, "base.yaml"],
                   prepare=prepare, writes=True, keeps="victim")
    train, evaluate = ["cnntrain", "-q", "base.yaml"], ["cnneval", "model.bin", TESTSET]
    yield Case("E03 no right to write", 6, [("run", "cannot create: Permission denied")], train, user=NOBODY,
               shell='chmod 555 . 2>/dev/null; cd locked && exec "$@"',
               prepare=lambda d: (os.mkdir(d + "/locked", 0o555), copy_into(d, d + "/locked")))
    yield Case("C13 no right to read", 6, [("secret.yaml", "cannot open: Permission denied")],
               ["cnntrain", "secret.yaml"],
               user=NOBODY, prepare=lambda d: (write(d + "/secret.yaml", BASE.encode()),
                                               os.chmod(d + "/secret.yaml", 0)))
    yield Case("I42 no right to read the images", 6, [("secret-images", "cannot open: Permission denied")],
               ["cnneval", "model.bin", "secret-images"], user=NOBODY,
               prepare=lambda d: (write(d + "/secret-images", b""), os.chmod(d + "/secret-images", 0)))
    yield Case("E01 parents are made", 0, [], ["cnntrain", "-q", "-o", "a/b/c", "base.yaml"], writes=True)
    yield Case("E09 ulimit -f", 6, [(ANY, "File too large")], train, shell='ulimit -f 4; exec "$@"', writes=True)
    yield Case("E10 ulimit -n", 6, [(ANY, "Too many open files")], train, shell='ulimit -n 4; exec "$@"', writes=True)
    yield Case("E11 ulimit -s", 0, [], train, shell='ulimit -s 256; exec "$@"', writes=True)
    yield Case("E14 umask 0777", 0, [], train, shell='umask 0777; mkdir -m 700 run; exec "$@"', writes=True)
    for closed in ("<&-", ">&-", "2>&-", "<&- >&- 2>&-"):
        yield Case(f"E15 closed {closed}", 0, [], train, shell=f'exec "$@" {closed}', writes=True)
    yield Case("E15b cnneval, stdout closed", 6, [("cnneval", "cannot write results")], evaluate, shell='exec "$@" >&-')
    yield Case("E16 stdout full", 6, [("cnneval", "cannot write results: No space left on device")], evaluate,
               stdout="/dev/full")
    yield Case("E16b --list", 6, [("cnntrain", "cannot write results")], ["cnntrain", "--list"],
               stdout="/dev/full")
    yield Case("E16c --csv", 6, [(ANY, "No space left on device")],
               ["cnneval", "--csv", "/dev/full", "model.bin", TESTSET])
    yield Case("E16d --json", 6, [("cnneval", "cannot write results")], ["cnneval", "--json", "model.bin", TESTSET],
               stdout="/dev/full")
    yield Case("E21 stale temporary files", 0, [], train, writes=True,
               prepare=lambda d: (os.mkdir(d + "/run"),
                                  [write(f"{d}/run/.model.bin.tmp.{i}.0", b"") for i in range(500)]))
    for name in ("de_DE.UTF-8", "tr_TR.UTF-8", "nonsense"):
        yield Case(f"E22 LC_ALL={name}", 0, [], ["cnntrain", "-n", "base.yaml"], environment={"LC_ALL": name})
    yield Case("E23 no environment", 0, [], train, shell='exec env -i "$@"', writes=True)
    for level in ("generic", "avx2"):
        yield Case(f"E27 CNNTRAIN_CPU={level}", 0, [], ["cnntrain", "-n", "base.yaml"],
                   environment={"CNNTRAIN_CPU": level})
    yield Case("V01 the loss grows past all bounds", 8, [("cnntrain", "not finite")], ["cnntrain", "-q", NAME],
               {NAME: edited(("{type: adam, lr: 0.001, beta1: 0.9, beta2: 0.999, eps: 1.0e-8}", "{type: sgd, lr: 100}"),
                             ("epochs: 1", "epochs: 50"), ("batch_size: 16", "batch_size: 4"),
                             ("  - relu\n", "")).encode()}, writes=True)


def copy_into(source, target):
    os.chmod(target, 0o755)
    for name in os.listdir(source):
        if os.path.isfile(os.path.join(source, name)):
            os.link(os.path.join(source, name), os.path.join(target, name))
    os.chmod(target, 0o555)


def cases(trained):
    yield from command_lines()
    yield from unfinished(trained)
    yield from surroundings()
