#!/usr/bin/env python3
"""report_browser.py: report.html in a real browser, headless Chromium driven by playwright-core (browser.js): charts are drawn, nothing is asked for, no error, in
light and dark and on a narrow screen; the numbers are those of cnneval --json; keys work. Prints TAP."""
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from runs import BIN, DIGITS, ROOT, Skip, cnntrain, environment, equal, run_tests, write  # noqa: E402

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome", "chrome"))), None)
NODE = shutil.which("node") or shutil.which("nodejs")
PLAYWRIGHT = os.path.join(ROOT, "vendor", "playwright", "node_modules", "playwright-core")
CONFIG = f"""\
data: {{train: {DIGITS}/train-images-idx3-ubyte.gz, test: {DIGITS}/t10k-images-idx3-ubyte.gz, validation: 0.2}}
network: [conv: {{filters: 6, kernel: 3, activation: relu}}, dense: 10]
train:
  epochs: 30
  optimizer: {{type: adam, lr: 0.003}}
  early_stopping: {{monitor: val_accuracy, patience: 3, min_delta: 0.004}}
"""
running = []  # browser.js, once a page was looked at


def cnneval(*arguments):
    return subprocess.run([os.path.join(BIN, "cnneval"), *map(str, arguments)], capture_output=True, text=True, timeout=100,
                          env=environment(), check=True).stdout


def browser():
    """browser.js, which runs until we end."""
    if not NODE:
        raise Skip("no node here: scripts/deps.sh ci installs it")
    if not os.path.exists(PLAYWRIGHT):
        raise Skip("no playwright-core here: scripts/deps.sh ci installs it")
    if not CHROMIUM:
        raise Skip("no chromium here: scripts/deps.sh ci installs it")
    if not running:
        running.append(subprocess.Popen([NODE, os.path.join(ROOT, "tests", "system", "browser.js"), PLAYWRIGHT, CHROMIUM],
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True))
    return running[0]


def look(page, *, scheme="light", width=1100):
    """What Chromium makes of a page: what browser.js says of it."""
    program = browser()
    program.stdin.write(json.dumps([os.path.abspath(page), scheme, width]) + "\n")
    program.stdin.flush()
    answer = program.stdout.readline()
    if not answer:  # it has said why
        running.clear()
    assert answer, f"browser.js ended with exit code {program.wait()}"
    return json.loads(answer)


def browse(page, **options):
    """The same of a page of ours, which asks for nothing but itself and has no errors."""
    seen = look(page, **options)
    equal(seen["requests"], [pathlib.Path(page).absolute().as_uri()], "requests")
    equal((seen["errors"], seen["console"]), ([], []), "errors and console")
    return seen


def run():
    cnntrain("-q", write("small.yaml", CONFIG), "-o", "run")
    with open("run/report.html", encoding="utf-8") as file:
        text = file.read()
    return json.loads(re.search(r'id="data">(.*?)</script>', text).group(1)), "uPlot (v" in text


def percent(x, digits=2):
    return f"{100 * x:.{digits}f}\u202f%"


def check_charts(seen, charts):
    if not charts:
        assert any("without the charting library" in note for note in seen["notes"]), seen["notes"]
        raise Skip("built without uPlot: scripts/deps.sh fetches it")
    equal(len(seen["canvases"]), seen["charts"], "charts")
    for canvas in seen["canvases"]:
        assert canvas["width"] > 200 and canvas["height"] > 200 and canvas["colours"] > 10, canvas
        assert 0.005 < canvas["share"] < 0.9, canvas


def light():
    """charts, tables and pictures are there, and their numbers are those of cnneval --json"""
    data, charts = run()
    seen = browse("run/report.html")
    equal(seen["sections"], ["curves", "confusion", "classes", "calibration", "mistakes", "filters", "network", "config"], "sections")
    equal(seen["links"], seen["sections"], "links to them")
    equal((seen["title"], seen["heading"], seen["dark"]), ("small \u2013 cnntrain report", "small", False), "head")
    said = json.loads(cnneval("run/model.bin", "small.yaml", "--part", "validation", "--json"))
    equal(seen["confusion"], [[str(n) if n else "\u00b7" for n in row] for row in said["confusion"]], "confusion")
    equal(seen["classes"], [[c["name"], str(c["support"]), str(c["predicted"]), *(percent(c[k]) for k in ("precision", "recall", "f1"))]
                            for c in said["classes"]], "classes")
    assert seen["figures"]["validation accuracy"].startswith(percent(said["accuracy"])), seen["figures"]
    equal(seen["status"], f"Finished: stopped early after epoch {data['run']['epoch']} of 30.", "status")
    equal(len(seen["pictures"]), len(data["evaluation"]["mistakes"]) + 6, "pictures")
    assert all(loaded and alt for loaded, alt in seen["pictures"]), seen["pictures"]
    check_charts(seen, charts)
    log = data["log"]
    equal(seen["charts"], 5, "loss, accuracy, learning rate, reliability, histogram")
    assert all(value in ("", "--", "\u2013") for value in seen["before"][1]), seen["before"]
    equal(seen["after"][1], ["1", percent(log["train_accuracy"][0]), percent(log["val_accuracy"][0])], "legend after Home")
    equal(seen["focus"], "chart", "focus")


def dark():
    """dark where the reader wants it so"""
    _, charts = run()
    seen = browse("run/report.html", scheme="dark")
    brightness = [sum(map(int, re.findall(r"\d+", seen[name])[:3])) for name in ("ground", "ink")]
    assert seen["dark"] and brightness[0] < 150 and brightness[1] > 600, (seen["ground"], seen["ink"])
    check_charts(seen, charts)


def narrow():
    """on a screen of 390 pixels nothing is wider than it"""
    _, charts = run()
    seen = browse("run/report.html", width=390)
    equal((seen["width"], seen["scroll"]), (390, 390), "width")
    check_charts(seen, charts)


def first_page():
    """the page of a run that has just begun, and of one without validation set"""
    cnntrain("-q", write("small.yaml", CONFIG.split("train:\n")[0].replace(", validation: 0.2", "") + "train: {epochs: 0}\n"), "-o",
             "run")
    seen = browse("run/report.html")
    equal(seen["sections"], ["curves", "evaluation", "filters", "network", "config"], "sections")
    equal(seen["status"], "Finished: 0 epochs.", "status")


def names():
    """names that look like markup are text"""
    names_ = ["<b>x</b>", "</script><script>alert(1)</script>", "<img src=x onerror=alert(1)>", "&amp;", "4", "5", "6", "7", "8", "9"]
    cnntrain("-q", write("small.yaml", CONFIG), "-o", "run", "-s", "data.classes=" + json.dumps(names_), "-s",
             "name=<i>evil</i>", "-s", "train.epochs=2")
    seen = browse("run/report.html")
    equal([row[0] for row in seen["classes"]], names_, "classes")
    equal(seen["heading"], "<i>evil</i>", "name")


def evaluation():
    """the page of cnneval --report"""
    _, charts = run()
    said = json.loads(cnneval("run/model.bin", "small.yaml", "--report", "test", "--json"))
    seen = browse("test/report.html")
    equal(seen["sections"], ["confusion", "classes", "calibration", "mistakes", "filters", "network", "config"], "sections")
    equal(seen["confusion"], [[str(n) if n else "\u00b7" for n in row] for row in said["confusion"]], "confusion")
    assert seen["figures"]["accuracy"].startswith(percent(said["accuracy"])), seen["figures"]
    assert seen["status"].startswith("Evaluation of run/model.bin (after epoch "), seen["status"]
    check_charts(seen, charts)


def temperature():
    """a temperature tells something of the network only where it lowers the calibration error"""
    run()
    with open("run/report.html", encoding="utf-8") as file:
        text = file.read()
    for found, ece, scaled, sentence in ((2, 0.04, 0.01, "surer than it should be"), (0.5, 0.04, 0.01, "less sure than it could be"),
                                         (2, 0.01, 0.04, "nothing is to be said"), (0.5, 0.01, 0.01, "nothing is to be said")):
        page = text
        for key, value in (("ece", ece), ("temperature", found), ("scaled_ece", scaled)):
            page, count = re.subn(rf'"{key}":\s*[-0-9.e]+', f'"{key}":{value}', page)
            equal(count, 1, key)
        seen = browse(write("changed.html", page))
        assert sentence in seen["calibration"], (found, ece, scaled, seen["calibration"])


def watch():
    """a page that asks for files, throws and complains is seen to do so"""
    write("other.js", "")
    write("bad.html", """<!DOCTYPE html><h1>bad</h1><p id="status"></p><p style="width: 2000px">wide</p>
<script src="other.js"></script><img src="http://127.0.0.1:9/x.png">
<script>console.error("complaint"); setTimeout(() => { throw new Error("thrown"); }); Promise.reject(new Error("rejected"));</script>
""")
    seen = look("bad.html", width=390)
    equal(sorted(url.split("/")[-1] for url in seen["requests"]), ["bad.html", "other.js", "x.png"], "requests")
    equal(sorted(seen["errors"]), ["rejected", "thrown"], "errors")
    assert any("complaint" in line for line in seen["console"]), seen["console"]
    assert seen["width"] == 390 and seen["scroll"] >= 2000, seen["scroll"]


run_tests([watch, light, dark, narrow, first_page, names, evaluation, temperature])
