"""outputs.py: output directories that one would rather think about twice: any path is taken (S68 to S72)."""
import os

from cases.base import BASE, NAME
from cases.harness import Case

HERE = BASE.replace("train-images", "../train-images").replace("t10k-images", "../t10k-images")
FILES = ("model.bin", "checkpoint.bin", "log.csv", "config.yaml")


def elsewhere(directory):
    """A folder to start in, and one that a link called "run" leads to."""
    os.makedirs(os.path.join(directory, "in/run"))
    os.mkdir(os.path.join(directory, "far"))
    os.symlink("../far", os.path.join(directory, "in/link"))


# id, output as the config has it, options, where it leads to
PATHS = [
    ("S68 above", "../x", "", "x"),
    ("S69 absolute", "run", ' -o "$PWD/there"', "in/there"),
    ("S71 up again behind a folder", "run/../../y", "", "y"),
    ("S72 a link to another place", "link", "", "far"),
]


def cases(_trained):
    for name, output, options, found in PATHS:
        yield Case(name, 0, [], ["cnntrain", "-q", NAME], {f"in/{NAME}": HERE.replace("output: run", f"output: {output}").encode()},
                   prepare=elsewhere, shell=f'cd in && exec "$@"{options}', writes=True,
                   makes=[f"{found}/{file}" for file in FILES])
    yield Case("S67 a folder without images as data.train", 4, [("empty", "")], ["cnntrain", NAME],
               {NAME: BASE.replace("train-images-idx3-ubyte.gz", "empty").encode()},
               prepare=lambda d: os.mkdir(os.path.join(d, "empty")))
