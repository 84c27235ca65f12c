"""programme.py: the list of bad inputs that the reliability programme numbers, and what proves each.

The rows of programme.txt: ID | what is wrong with the input | what proves it | in what our specification differs. Proof
is one or more of these, with commas between; one that is there is enough:

    case                      cases of the tables in this folder that are called after the ID: "C02 ..", "C02b .."
    case: BEGINNING           cases whose names begin so
    unit test_x: FUNCTION     a test of tests/unit/test_x.c
    reliability/x.py          a program below tests, which names the ID
    reliability/x.py: WORDS   the same, which has these words
    none                      it does not apply; the fourth column says why

A row without proof is missing. The lines that begin with "darknet" name the cases that are translated from those
malformed configs that were given to darknet; "limit | LIMIT | CASE | CASE": the case that just keeps a limit, and the
one that is over it by one."""
import os
import re

TESTS = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
SIZES = {"C": 24, "Y": 43, "L": 19, "S": 73, "N": 30, "I": 43, "G": 24, "P": 56, "J": 7, "F": 34, "M": 80, "Q": 23,
         "E": 30, "X": 17, "V": 12}
IDS = [f"{group}{number:02}" for group, size in SIZES.items() for number in range(1, size + 1)]


def read():
    """Rows as lists of three or four fields, the names of the cases that darknet was given, and the limits."""
    rows, darknet, limits = [], [], []
    with open(os.path.join(TESTS, "cases", "programme.txt")) as file:
        for line in file:
            if line.startswith("darknet "):
                darknet += line.split()[1:]
            elif line.startswith("limit | "):
                limits.append([field.strip() for field in line.split(" | ")[1:]])
            elif line.strip() and not line.startswith("#"):
                rows.append([field.strip() for field in line.split(" | ")])
    return rows, darknet, limits


def text_of(path):
    try:
        with open(os.path.join(TESTS, path)) as file:
            return file.read()
    except FileNotFoundError:
        return ""


def is_there(proof, row, names):
    """Whether there is such a `proof`."""
    kind, _, what = proof.partition(": ")
    if kind == "case":
        return any(name.startswith(what) for name in names) if what else row[0] in {number(name) for name in names}
    if kind.startswith("unit "):
        return f"cmocka_unit_test({what})" in text_of(f"unit/{kind[5:]}.c")
    if kind == "none":
        return len(row) == 4
    return re.search(rf"\b{re.escape(what or row[0])}\b", text_of(kind)) is not None


def number(name):
    """The ID that a case is called after: "C02" of "C02b nothing near"."""
    found = re.match(r"([A-Z]\d\d)[a-z]* ", name)
    return found and found[1]


def audit(names):
    """What is wrong with the table; the IDs that are tested, those that do not apply, and those that are missing."""
    rows, darknet, limits = read()
    wrong = [f"{row[0]}: no row of three or four fields" for row in rows if len(row) not in (3, 4)]
    if [row[0] for row in rows] != IDS:
        wrong.append(f"the rows are not the {len(IDS)} IDs in their order")
    wrong += [f"two cases are called {name}" for name in sorted({n for n in names if names.count(n) > 1})]
    first_words = {name.split(" ")[0] for name in names}
    wrong += [f"darknet's {word} is no case" for word in darknet if word not in first_words]
    wrong += [f"no case called {beginning!r}, for the limit of {limit[0]}" for limit in limits for beginning in limit[1:]
              if not any(name.startswith(beginning + " ") for name in names)]
    tested, explained, missing = [], [], []
    for row in rows:
        if any(is_there(proof, row, names) for proof in row[2].split(", ")):
            (explained if row[2] == "none" else tested).append(row[0])
        else:
            missing.append(row[0])
    wrong += [f"{row} is missing" for row in missing]
    return wrong, tested, explained, missing
