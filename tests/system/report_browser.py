#!/usr/bin/env python3
"""report_browser.py: report.html in a real browser, headless Chromium: charts are drawn, nothing is asked for, no error, in
light and dark and on a narrow screen; the numbers are those of cnneval --json; keys work. Prints TAP."""
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from runs import BIN, DIGITS, Skip, cnntrain, environment, equal, read_bytes, run_tests, write  # noqa: E402

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome", "chrome"))), None)
QUIET = ("--headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking "
         "--disable-component-update --disable-sync --disable-default-apps --disable-extensions --hide-scrollbars").split()
CONFIG = f"""\
data: {{train: {DIGITS}/train-images-idx3-ubyte.gz, test: {DIGITS}/t10k-images-idx3-ubyte.gz, validation: 0.2}}
network: [conv: {{filters: 6, kernel: 3, activation: relu}}, dense: 10]
train:
  epochs: 30
  optimizer: {{type: adam, lr: 0.003}}
  early_stopping: {{monitor: val_accuracy, patience: 3, min_delta: 0.004}}
"""
# Before everything else of the page, and behind it.
WATCH = """<script>
var seen = { errors: [] };
addEventListener("error", (e) => seen.errors.push(String(e.message)));
addEventListener("unhandledrejection", (e) => seen.errors.push(String(e.reason)));
addEventListener("securitypolicyviolation", (e) => seen.errors.push(e.violatedDirective + " " + e.blockedURI));
</script>"""
LOOK = """<script>
function look() {
    const all = (selector) => [...document.querySelectorAll(selector)], text = (e) => e.innerText.trim();
    const painted = (canvas) => {
        const data = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data, colours = new Set();
        let count = 0;
        for (let i = 0; i < data.length; i += 4) {
            if (data[i + 3] > 0) {
                count++;
                colours.add(data[i] << 16 | data[i + 1] << 8 | data[i + 2]);
            }
        }
        return { width: canvas.width, height: canvas.height, share: count / (data.length / 4), colours: colours.size };
    };
    const legend = (chart) => [...chart.querySelectorAll(".u-value")].map(text);
    const charts = all(".chart"), before = charts.map(legend);
    for (const chart of charts) {
        chart.focus();
        chart.dispatchEvent(new KeyboardEvent("keydown", { key: "Home", bubbles: true, cancelable: true }));
    }
    return {
        ...seen, title: document.title, heading: text(document.querySelector("h1")), status: text(document.querySelector("#status")),
        figures: Object.fromEntries(all("#figures div").map((d) => [text(d.querySelector("dt")), text(d.querySelector("dd"))])),
        sections: all("main section").map((s) => s.id), links: all("nav a").map((a) => a.getAttribute("href").slice(1)),
        canvases: all("canvas").map(painted), charts: charts.length, before, after: charts.map(legend),
        focus: document.activeElement.className,
        confusion: all(".confusion tbody tr").map((r) => [...r.querySelectorAll("td")].map(text)),
        classes: all("#classes tbody tr").map((r) => [...r.children].map(text)),
        pictures: all("main img").map((i) => [i.complete && i.naturalWidth > 0, i.alt]),
        requests: performance.getEntriesByType("resource").map((r) => r.name).filter((n) => !n.startsWith("data:")),
        dark: matchMedia("(prefers-color-scheme: dark)").matches, ground: getComputedStyle(document.body).backgroundColor,
        ink: getComputedStyle(document.body).color, width: innerWidth, scroll: document.documentElement.scrollWidth,
        notes: all(".note").map(text),
    };
}
addEventListener("load", () => setTimeout(() => {
    const result = JSON.stringify(look());
    if (parent !== window) {
        parent.postMessage(result, "*");
        return;
    }
    const e = document.createElement("script");
    e.type = "application/json";
    e.id = "looked";
    e.textContent = result.replace(/</g, "\\\\u003c");
    document.body.append(e);
}, 300));
</script>"""
FRAME = """<!DOCTYPE html><body style="margin: 0"><iframe src="watched.html" width="390" height="800" style="border: 0"></iframe>
<script>addEventListener("message", (m) => {
    const e = document.createElement("script");
    e.type = "application/json";
    e.id = "looked";
    e.textContent = m.data.replace(/</g, "\\\\u003c");
    document.body.append(e);
});</script></body>"""


def cnneval(*arguments):
    return subprocess.run([os.path.join(BIN, "cnneval"), *map(str, arguments)], capture_output=True, text=True, timeout=100,
                          env=environment(), check=True).stdout


def browse(page, *options, narrow=False):
    """What the browser makes of a page: what LOOK finds. Anything on its console is a failure."""
    if not CHROMIUM:
        raise Skip("no chromium here: scripts/deps.sh ci installs it")
    text = read_bytes(page).decode()
    write("watched.html", text.replace("<head>", "<head>" + WATCH, 1).replace("</body>", LOOK + "</body>", 1))
    write("frame.html", FRAME)
    with tempfile.TemporaryDirectory(prefix="chromium-") as profile:
        done = subprocess.run([CHROMIUM, *QUIET, f"--user-data-dir={profile}", "--window-size=1100,900", *options,
                               "--enable-logging=stderr", "--virtual-time-budget=5000", "--dump-dom",
                               "file://" + os.path.abspath("frame.html" if narrow else "watched.html")],
                              capture_output=True, text=True, timeout=120, check=False)
    equal(done.returncode, 0, done.stderr)
    console = [line for line in done.stderr.splitlines() if "CONSOLE" in line]
    equal(console, [], "console")
    found = re.search(r'<script type="application/json" id="looked">(.*?)</script>', done.stdout)
    assert found, "the page did not come so far:\n" + done.stderr
    seen = json.loads(found.group(1))
    equal((seen["errors"], seen["requests"]), ([], []), "errors and requests")
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
    seen = browse("run/report.html", "--blink-settings=preferredColorScheme=0")
    brightness = [sum(map(int, re.findall(r"\d+", seen[name])[:3])) for name in ("ground", "ink")]
    assert seen["dark"] and brightness[0] < 150 and brightness[1] > 600, (seen["ground"], seen["ink"])
    check_charts(seen, charts)


def narrow():
    """on a screen of 390 pixels nothing is wider than it"""
    _, charts = run()
    seen = browse("run/report.html", narrow=True)
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


run_tests([light, dark, narrow, first_page, names, evaluation])
