"""tables.py: what was measured, as Markdown to read and as CSV to go on with."""
import csv
import statistics

WORDS = {"train": "training", "eval": "evaluation"}


FIELDS = ("subject", "batch", "program", "job", "threads", "median", "minimum", "maximum", "gflops", "peak_share", "memory_mib",
          "start_up_seconds")


class Result:
    """The rates of one program at one job: of a network in images/s, of a convolution in GFLOP/s (its job says which)."""

    def __init__(self, subject, batch, program, job, threads, rates):
        self.subject, self.batch, self.program, self.job, self.threads, self.rates = subject, batch, program, job, threads, rates
        self.gflops = self.share = self.memory = self.start_up = None

    @property
    def key(self):
        return self.subject, self.batch, self.program, self.job, self.threads

    @property
    def is_network(self):
        return self.job in WORDS

    @property
    def median(self):
        return statistics.median(self.rates)


def number(value):
    """Three digits that count, and all before the point."""
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def spread(rates):
    return f"{number(statistics.median(rates))} ({number(min(rates))} to {number(max(rates))})"


def markdown(head, rows):
    """Text in the first column, numbers in the others."""
    return "\n".join("| " + " | ".join(row) + " |" for row in [head, ["---"] + ["---:"] * (len(head) - 1), *rows]) + "\n"


def of(results, **fields):
    return [r for r in results if all(getattr(r, key) == value for key, value in fields.items())]


def best(results, programs, **fields):
    """The greatest median of some programs, at whatever thread count."""
    return max((r.median for r in of(results, **fields) if r.program in programs), default=None)


def ratio(one, other):
    return f"{one / other:.2f}" if one and other else "-"


def ratios(results, subjects):
    """How cnntrain's figures stand to those of its peers and to its own; peers that no row has are left out."""
    def rate(programs, threads=None):
        return lambda **where: best(results, programs, **where, **({"threads": threads} if threads else {}))

    own = rate(("cnntrain",), 2)
    columns = [("PyTorch", own, rate(("PyTorch", "PyTorch, BLAS on 1 thread", "PyTorch, channels_last"))), ("dlib", own, rate(("dlib",))),
               ("ONNX Runtime", own, rate(("ONNX Runtime, best batch",))), ("1 thread", own, rate(("cnntrain",), 1)),
               ("AVX2", own, rate(("cnntrain, AVX2",), 2))]
    head, rows = ["network, batch"], [[f"{network}, {batch}"] for network, batch in subjects]
    for job, word in WORDS.items():
        for title, one, other in columns:
            cells = [ratio(one(subject=network, batch=batch, job=job), other(subject=network, batch=batch, job=job))
                     for network, batch in subjects]
            if set(cells) != {"-"}:
                head.append(f"{word}: {title}")
                for row, cell in zip(rows, cells):
                    row.append(cell)
    return markdown(head, rows)


def network_table(results, job, network, batch):
    rows = []
    for r in of(results, job=job, subject=network, batch=batch):
        rows.append([f"{r.program}, {r.threads} thread{'s' if r.threads > 1 else ''}", spread(r.rates), number(r.gflops),
                     f"{100 * r.share:.0f} %", f"{r.memory:.0f}", f"{r.start_up:.2f}"])
    return markdown([f"{network}, batch {batch}: {WORDS[job]}", "images/s", "GFLOP/s", "of peak", "memory, MiB", "start-up, s"], rows)


def kernel_table(results, programs):
    """A row a shape; of each program the rate and its share of the peak."""
    rows = []
    for subject in dict.fromkeys(r.subject for r in results):
        row = [subject]
        for job in ("forward", "input", "weight"):
            for program in programs:
                found = of(results, subject=subject, job=job, program=program)
                row.append(f"{number(found[0].median)} ({100 * found[0].share:.0f} %)" if found else "-")
        rows.append(row)
    head = ["convolution"] + [f"{job}: {program}" for job in ("forward", "input", "weight") for program in programs]
    return markdown(head, rows)


def write_csv(path, results):
    with open(path, "w", newline="", encoding="ascii") as file:
        rows = csv.writer(file)
        rows.writerow(FIELDS)
        for r in results:
            rows.writerow([*r.key, *(f"{x:.6g}" for x in (r.median, min(r.rates), max(r.rates))),
                           *("" if x is None else f"{x:.4g}" for x in (r.gflops, r.share, r.memory, r.start_up))])


def read_csv(path):
    """What write_csv wrote; of the rates, minimum, median and maximum are left."""
    results = []
    with open(path, newline="", encoding="ascii") as file:
        for row in csv.DictReader(file):
            rates = [float(row[key]) for key in ("minimum", "median", "maximum")]
            r = Result(row["subject"], int(row["batch"]), row["program"], row["job"], int(row["threads"]), rates)
            r.gflops, r.share, r.memory, r.start_up = (float(row[key]) if row[key] else None for key in FIELDS[8:])
            results.append(r)
    return results
