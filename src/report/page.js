/* page.js: draws the report from the JSON within the page. Text goes in as text, never as HTML. Charts are uPlot's; without it
 * the same numbers stand in tables. Nothing is loaded from anywhere. */
(function () {
"use strict";

const data = JSON.parse(document.getElementById("data").textContent);
const timing = JSON.parse(document.getElementById("timing").textContent);
const main = document.getElementById("main");
const charts = typeof uPlot === "function";
const drawn = []; /* charts, to draw anew when colours or the width change */

/* ---- elements ---- */

function element(name, attributes, ...children) {
    const e = document.createElement(name);
    for (const [key, value] of Object.entries(attributes || {})) {
        if (value !== null && value !== undefined && value !== false) {
            e.setAttribute(key, value === true ? "" : value);
        }
    }
    for (const child of children.flat()) {
        if (child !== null && child !== undefined) {
            e.append(child);
        }
    }
    return e;
}

function section(id, title, what, ...children) {
    document.querySelector("#contents ul").append(element("li", {}, element("a", { href: "#" + id }, title)));
    const s = element("section", { id, "aria-labelledby": id + "-title" }, element("h2", { id: id + "-title" }, title),
                      what ? element("p", { class: "what" }, what) : null, ...children);
    main.append(s);
    return s;
}

/* What may be wider than the screen scrolls by itself, by keys too. */
function wide(label, child) {
    return element("div", { class: "wide", tabindex: "0", role: "region", "aria-label": label }, child);
}

function table(label, head, rows, foot) {
    const cell = (name, scope) => (value, i) =>
        i === 0 || scope === "col" ? element("th", { scope: scope || "row", class: i === 0 ? "text" : null }, value)
                                   : element(name, {}, value);
    const line = (values) => element("tr", {}, values.map(cell("td", null)));
    return wide(label, element("table", {}, element("thead", {}, element("tr", {}, head.map(cell("th", "col")))),
                               element("tbody", {}, rows.map(line)), foot ? element("tfoot", {}, foot.map(line)) : null));
}

/* ---- numbers ---- */

const missing = "\u2013";
const known = (x) => x !== null && x !== undefined;
const count = (x) => known(x) ? x.toLocaleString("en-US") : missing;
const percent = (x, digits) => known(x) ? (100 * x).toFixed(digits === undefined ? 2 : digits) + "\u202f%" : missing;
const short = (x) => !known(x) ? missing : x === 0 ? "0" : String(Number(x.toPrecision(4)));
const plural = (n, word) => count(n) + " " + word + (n === 1 ? "" : "s");

function duration(seconds) {
    if (seconds < 60) {
        return seconds.toFixed(1) + "\u202fs";
    }
    const s = Math.round(seconds), h = Math.floor(s / 3600), m = Math.floor(s / 60) % 60;
    return h > 0 ? h + "\u202fh " + m + "\u202fmin" : m + "\u202fmin " + s % 60 + "\u202fs";
}

/* ---- charts ---- */

const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue("--" + name).trim();

/* A vertical line with a word, for the best epoch and the end. */
function marks(list) {
    return { hooks: { draw: [(u) => {
        const c = u.ctx, ratio = devicePixelRatio || 1;
        c.save();
        c.font = 12 * ratio + "px system-ui, sans-serif";
        c.textBaseline = "top";
        list.forEach((mark, i) => {
            const x = Math.round(u.valToPos(mark.at, "x", true)), right = x > u.bbox.left + u.bbox.width * 0.6;
            c.strokeStyle = c.fillStyle = colour(mark.colour);
            c.lineWidth = ratio;
            c.setLineDash([4 * ratio, 4 * ratio]);
            c.beginPath();
            c.moveTo(x, u.bbox.top);
            c.lineTo(x, u.bbox.top + u.bbox.height);
            c.stroke();
            c.textAlign = right ? "right" : "left";
            c.fillText(mark.text, x + (right ? -5 : 5) * ratio, u.bbox.top + (3 + 15 * i) * ratio);
        });
        c.restore();
    }] } };
}

/* The arrow keys move the cursor from point to point. */
function keys(box, u) {
    box.addEventListener("keydown", (event) => {
        const last = u.data[0].length - 1, at = u.cursor.idx;
        const to = { Home: 0, End: last, ArrowLeft: known(at) ? at - 1 : last, ArrowRight: known(at) ? at + 1 : 0 }[event.key];
        if (to !== undefined) {
            const i = Math.max(0, Math.min(last, to));
            u.setCursor({ left: u.valToPos(u.data[0][i], "x"), top: u.bbox.height / 4 });
            event.preventDefault();
        }
    });
}

function chart(box, label, make, values, height) {
    box.setAttribute("tabindex", "0");
    box.setAttribute("role", "img");
    box.setAttribute("aria-label", label);
    let u = null, width = 0;
    const draw = () => {
        if (u) {
            u.destroy();
        }
        width = Math.max(220, Math.floor(box.clientWidth));
        u = new uPlot({ width, height, legend: { live: true }, ...make() }, values, box);
        keys(box, u);
    };
    draw();
    drawn.push({ draw, resize: () => {
        if (Math.floor(box.clientWidth) !== width) {
            draw();
        }
    } });
}

const axis = (more) => ({ stroke: colour("ink"), font: "12px system-ui, sans-serif", grid: { stroke: colour("grid"), width: 1 },
                          ticks: { stroke: colour("grid"), width: 1, size: 5 }, ...more });
const line = (label, name, value, more) => ({ label, stroke: colour(name), width: 2, value: (u, v) => value(v),
                                              spanGaps: true, ...more });

/* Lines over the epochs. */
function epochs(title, series, list) {
    const log = data.log, points = log.epoch.length;
    const box = element("div", { class: "chart" });
    const lines = series.lines.filter((s) => (log[s.column] || []).some(known));
    const last = lines.map((s) => s.label + " " + series.value(log[s.column][points - 1])).join(", ");
    const holder = element("div", {}, element("h3", {}, title), box);
    const make = () => ({
        cursor: { sync: { key: "epochs" } },
        scales: { x: { time: false, range: (u, low, high) => low === high ? [low - 1, high + 1] : [low, high] },
                  y: { range: (u, low, high) => uPlot.rangeNum(low, high, 0.08, true) } },
        axes: [axis({ incrs: [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10000, 100000], label: "epoch",
                      labelSize: 18, labelFont: "12px system-ui, sans-serif", size: 30, labelGap: 0 }),
               axis({ size: 62, values: (u, ticks) => ticks.map(series.tick || short) })],
        series: [{ label: "epoch", value: (u, v) => count(v) },
                 ...lines.map((s) => line(s.label, s.colour, series.value,
                                          { dash: s.dash, points: { show: points < 40, size: 5, fill: colour("surface") } }))],
        plugins: [marks(list)],
    });
    queueMicrotask(() => chart(box, title + " by epoch; in the end " + last + ". The arrow keys go through the epochs.", make,
                               [log.epoch, ...lines.map((s) => log[s.column])], 260));
    return holder;
}

function logTable() {
    const columns = Object.keys(data.log);
    const show = (name, v) => name === "epoch" || name === "step" ? count(v) : name.endsWith("accuracy") ? percent(v) : short(v);
    return table("the log", columns.map((c) => c.replace(/_/g, " ")),
                 data.log.epoch.map((_, i) => columns.map((c) => show(c, data.log[c][i]))));
}

function curves() {
    const run = data.run, list = [];
    if (run.best_epoch > 0) {
        list.push({ at: run.best_epoch, text: "best: " + run.best_epoch, colour: "mark" });
    }
    if (run.stopped_early) {
        list.push({ at: run.epoch, text: "stopped early: " + run.epoch, colour: "faint" });
    }
    if (data.log.epoch.length === 0) {
        section("curves", "Curves", "No epoch is complete yet.");
        return;
    }
    const pair = (what) => [{ column: "train_" + what, label: "train", colour: "train" },
                            { column: "val_" + what, label: "validation", colour: "validation", dash: [8, 4] }];
    const text = "Train: the mean over the epoch's batches, while the weights moved. Validation: after the epoch." +
        (run.best_epoch > 0 ? " The best epoch is " + run.best_epoch + "." : "") +
        (run.stopped_early ? " Stopped early after epoch " + run.epoch + ": no better " + run.monitor + " for " +
                             plural(run.patience, "epoch") + "." : "");
    const s = section("curves", "Curves", text);
    if (charts) {
        s.append(element("div", { class: "charts" },
            epochs("Loss", { lines: pair("loss"), value: short }, list),
            epochs("Accuracy", { lines: pair("accuracy"), value: percent, tick: (v) => percent(v, v > 0.9 && v < 1 ? 1 : 0) }, list),
            epochs("Learning rate", { lines: [{ column: "lr", label: "learning rate", colour: "train" }], value: short }, list)),
            element("details", {}, element("summary", {}, "The numbers as a table"), logTable()));
    } else {
        s.append(noCharts(), logTable());
    }
}

function noCharts() {
    return element("p", { class: "note" }, "Tables stand here in place of charts: this program was built without the charting " +
        "library. With npm, scripts/deps.sh fetches it; then build again.");
}

/* ---- the network ---- */

function network() {
    const n = data.network, shape = (s) => s[1] === 1 && s[2] === 1 ? String(s[0])
        : s[1] === 1 ? s[0] + "\u00d7" + s[2] : s.join("\u00d7");
    const rows = n.rows.map((r) => ["\u2003".repeat(r.depth) + r.name,
                                    element("span", { class: "text" }, r.type + (r.activation ? " + " + r.activation : "") +
                                            (r.frozen ? " (frozen)" : "")),
                                    shape(r.output), r.parameters ? count(r.parameters) : missing,
                                    r.multiply_adds ? count(r.multiply_adds) : missing]);
    section("network", "Network", "From the input on. Shapes are channels\u00d7height\u00d7width; multiply-adds are those of one " +
        "image, forward.",
        table("the network", ["layer", "type", "output", "parameters", "multiply-adds"],
              [["input", "", shape(n.input), missing, missing], ...rows],
              [["total", "", "", count(n.trained + n.frozen) + (n.frozen ? " (" + count(n.frozen) + " frozen)" : ""),
                count(n.multiply_adds)]]));
}

/* ---- the evaluation ---- */

function confusion(v) {
    const names = v.classes.map((c) => c.name);
    const what = "A row is what an image is, a column what it was taken for; the colour is the share of its row. Mistakes are " +
        "orange, and stronger in colour than their share.";
    if (!v.confusion) {
        section("confusion", "Most often confused", null,
                table("pairs of classes", ["is", "taken for", "images"],
                      v.pairs.map((p) => [names[p[0]], names[p[1]], count(p[2])])));
        return;
    }
    const row = (counts, actual) => {
        const total = counts.reduce((a, b) => a + b, 0);
        return element("tr", {}, element("th", { scope: "row", title: names[actual] }, names[actual]), counts.map((n, predicted) => {
            const right = actual === predicted, share = total ? n / total : 0;
            const strength = right ? 0.75 * share : n ? 0.15 + 0.85 * Math.sqrt(share) : 0;
            return element("td", { class: n ? null : "none", title: names[actual] + " taken for " + names[predicted] + ": " + n +
                                   " (" + percent(share) + ")",
                                   style: n ? "background-color: rgba(" + "var(--" + (right ? "right" : "wrong") + "), " +
                                              strength.toFixed(3) + ")" : null }, n ? count(n) : "\u00b7");
        }));
    };
    section("confusion", "Confusion matrix", what,
            wide("the confusion matrix", element("table", { class: "confusion" },
                element("thead", {}, element("tr", {}, element("th", { class: "text" }, "is \\ taken for"),
                    names.map((n) => element("th", { scope: "col", title: n }, n)))),
                element("tbody", {}, v.confusion.map(row)))));
}

function classes(v) {
    const bar = (x) => [percent(x), element("span", { class: "bar", "aria-hidden": "true" },
                                            element("i", { style: "width: " + (100 * (x || 0)).toFixed(1) + "%" }))];
    const with_bar = (x) => element("span", {}, bar(x));
    const mean = (key) => {
        const list = v.classes.map((c) => c[key]).filter(known);
        return list.length ? list.reduce((a, b) => a + b, 0) / list.length : null;
    };
    section("classes", "Classes", "Precision: of the images taken for the class, the share that are of it. Recall: of the images " +
        "of the class, the share that were found. F1: their harmonic mean.",
        table("the classes", ["class", "images", "predicted", "precision", "recall", "F1"],
              v.classes.map((c) => [c.name, count(c.support), count(c.predicted), with_bar(c.precision), with_bar(c.recall),
                                    with_bar(c.f1)]),
              [["mean", count(v.count), count(v.count), percent(mean("precision")), percent(mean("recall")),
                percent(mean("f1"))]]));
}

function calibrationTable(c) {
    const n = c.bins.length;
    return table("the bins", ["probability", "images", "mean probability", "right", "after the temperature"],
                 c.bins.map((b, i) => [percent(i / n, 1) + " \u2013 " + percent((i + 1) / n, 1), count(b.count),
                                       percent(b.confidence), percent(b.accuracy),
                                       c.scaled_bins[i].count ? percent(c.scaled_bins[i].confidence) + " \u2192 " +
                                           percent(c.scaled_bins[i].accuracy) : missing]));
}

function reliability(c) {
    const box = element("div", { class: "chart" });
    const points = (bins) => bins.filter((b) => b.count).map((b) => [b.confidence, b.accuracy]);
    const x = [...new Set([0, 1, ...points(c.bins).map((p) => p[0]), ...points(c.scaled_bins).map((p) => p[0])])];
    x.sort((a, b) => a - b);
    const of = (list) => x.map((v) => (list.find((p) => p[0] === v) || [0, null])[1]);
    const ends = { time: false, range: [0, 1] };
    const ticks = (u, list) => list.map((v) => percent(v, 0));
    const make = () => ({
        scales: { x: ends, y: { range: [0, 1.02] } },
        axes: [axis({ values: ticks, label: "probability of the prediction", labelSize: 18, labelFont: "12px system-ui, sans-serif",
                      size: 30, labelGap: 0 }),
               axis({ size: 62, values: ticks })],
        series: [{ label: "probability", value: (u, v) => percent(v) },
                 line("ideal", "faint", percent, { width: 1, dash: [4, 4], points: { show: false } }),
                 line("right", "train", percent, { points: { show: true, size: 8, fill: colour("train") } }),
                 line("right after the temperature", "validation", percent,
                      { dash: [8, 4], points: { show: true, size: 6, fill: colour("surface") } })],
    });
    queueMicrotask(() => chart(box, "Reliability diagram: how often predictions of a probability are right; the table below has " +
        "its numbers.", make, [x, x, of(points(c.bins)), of(points(c.scaled_bins))], 320));
    return element("div", {}, element("h3", {}, "Right by probability"), box);
}

/* How many predictions each bin has: what the other chart's points weigh. */
function histogram(c) {
    const box = element("div", { class: "chart" }), n = c.bins.length, counts = c.bins.map((b) => b.count);
    const make = () => ({
        scales: { x: { time: false, range: [0, 1] }, y: { distr: 3, range: [0.5, 2 * Math.max(1, ...counts)] } },
        axes: [axis({ values: (u, list) => list.map((v) => percent(v, 0)), label: "probability of the prediction", labelSize: 18,
                      labelFont: "12px system-ui, sans-serif", size: 30, labelGap: 0 }),
               axis({ size: 62, values: (u, list) => list.map((v) => Math.log10(v) % 1 === 0 ? count(v) : "") })],
        series: [{ label: "probability", value: (u, v) => known(v) ? percent(v - 0.5 / n, 1) + " \u2013 " + percent(v + 0.5 / n, 1)
                                                                  : missing },
                 line("images", "train", count, { fill: colour("train"), paths: uPlot.paths.bars({ size: [0.9, 100] }),
                                                  points: { show: false } })],
    });
    queueMicrotask(() => chart(box, "Images by the probability of their prediction; the table below has the numbers.", make,
                               [counts.map((_, i) => (i + 0.5) / n), counts.map((v) => v || null)], 320));
    return element("div", {}, element("h3", {}, "Images by probability"), box);
}

function calibration(v) {
    const c = v.calibration;
    if (!c) {
        section("calibration", "Calibration", "The outputs of this network are no probabilities.");
        return;
    }
    const towards = c.scaled_ece >= c.ece ? "no better, so that nothing is to be said of the network"
                  : c.temperature > 1 ? "the network is surer than it should be" : "the network is less sure than it could be";
    const s = section("calibration", "Calibration",
        "Of what a network says with 90\u202f%, 90\u202f% should be right. The expected calibration error (ECE, " + c.bins.length +
        " bins) is the mean distance from that.",
        element("p", {}, element("strong", {}, "ECE " + percent(c.ece)), ...(c.temperature < 0.011 || c.temperature > 99
            ? [". No temperature can be told from these images: " + (c.temperature < 1 ? "all are right." : "the outputs say too " +
               "little of them.")]
            : [". Divided by the temperature ", element("strong", {}, short(c.temperature)), ", which has the least loss on " +
               "these images, the logits would have an ECE of " + percent(c.scaled_ece) + ": " + towards + "."])));
    if (charts) {
        s.append(element("div", { class: "charts" }, reliability(c), histogram(c)),
                 element("details", {}, element("summary", {}, "The bins as a table"), calibrationTable(c)));
    } else {
        s.append(calibrationTable(c));
    }
}

function mistakes(v) {
    const wrong = v.count - v.correct, names = v.classes.map((c) => c.name);
    const say = v.probable ? (x) => percent(x, 1) : short;
    const item = (m) => element("li", {},
        element("img", { src: m.picture, alt: "image " + (m.path || m.index) + ": " + names[m.label] + ", taken for " +
                         names[m.prediction], title: m.path || "image " + m.index }),
        element("div", {}, element("strong", {}, names[m.prediction]), " \u00b7 " + say(m.p)),
        element("div", {}, "is " + names[m.label] + " \u00b7 ", element("span", { class: "faint" }, say(m.p_label))),
        element("div", { class: "faint" }, m.path ? m.path.split("/").pop() : "image " + m.index));
    if (wrong === 0) {
        section("mistakes", "Mistakes", "None: all " + count(v.count) + " images are right.");
        return;
    }
    section("mistakes", "Most confident mistakes", plural(wrong, "mistake") + (wrong > v.mistakes.length
        ? "; these are the " + v.mistakes.length + " that the network was surest of." : ".") +
        " Below each picture what it was taken for, and what it is, with the " + (v.probable ? "probability" : "output") +
        " that the network gave to either.", element("ul", { class: "pictures" }, v.mistakes.map(item)));
}

function filters() {
    const f = data.filters;
    if (!f) {
        return;
    }
    section("filters", "Filters of the first layer", "The weights of " + f.layer + ", " + f.shape[1] + "\u00d7" + f.shape[2] +
        " each, " + (f.shape[0] === 3 ? "as colours" : "grey") + ": the middle is 0, and each is scaled by its greatest weight." +
        (f.count > f.pictures.length ? " The first " + f.pictures.length + " of " + count(f.count) + "." : ""),
        element("ul", { class: "pictures filters" }, f.pictures.map((p, i) => element("li", {},
            element("img", { src: p.picture, alt: "filter " + i + ", greatest weight " + short(p.most) }),
            element("div", { class: "faint" }, i + ": \u00b1" + short(p.most))))));
}

/* ---- the head ---- */

function figure(name, value, more) {
    document.getElementById("figures").append(element("div", {}, element("dt", {}, name),
        element("dd", {}, value, more ? element("small", {}, more) : null)));
}

function head() {
    const run = data.run, v = data.evaluation;
    document.title = data.name + " \u2013 cnntrain report";
    document.getElementById("title").textContent = data.name;
    document.getElementById("status").textContent = run
        ? (run.finished ? run.stopped_early ? "Finished: stopped early after epoch " + run.epoch + " of " + run.epochs
                                            : "Finished: " + plural(run.epochs, "epoch")
                        : "Unfinished: " + count(run.epoch) + " of " + plural(run.epochs, "epoch") +
                          "; while it trains, reload to see more") + "."
        : "Evaluation of " + data.model + " (after epoch " + data.evaluation_epoch + ") on " + data.evaluated +
          (data.draws > 1 ? ", each output a mean over " + data.draws + " draws of the augmentations." : ".");
    if (v) {
        figure(run ? "validation accuracy" : "accuracy", percent(v.accuracy),
               "95\u202f%: " + percent(v.accuracy_interval_95[0]) + " to " + percent(v.accuracy_interval_95[1]));
        figure(run ? "validation loss" : "loss", short(v.loss), run ? "after epoch " + data.evaluation_epoch : null);
        figure("mistakes", count(v.count - v.correct), "of " + count(v.count) + " images");
        if (v.calibration) {
            figure("calibration error", percent(v.calibration.ece), "temperature " + short(v.calibration.temperature));
        }
    }
    figure("parameters", count(data.network.trained + data.network.frozen),
           count(data.network.multiply_adds) + " multiply-adds");
    if (run) {
        figure("training images", count(run.train_images), "seed " + run.seed);
        if (timing.seconds > 0) {
            figure("training time", duration(timing.seconds), plural(timing.threads, "thread") + ", " + timing.kernels);
        }
    }
}

function evaluation() {
    const v = data.evaluation;
    if (!v) {
        if (data.run.validation_images === 0) {
            section("evaluation", "Evaluation", "This run has no validation set. cnneval --report DIR MODEL TESTSET makes a page " +
                "like this of a test set: confusion matrix, calibration, mistakes.");
        }
        return;
    }
    confusion(v);
    classes(v);
    calibration(v);
    mistakes(v);
}

document.getElementById("contents").append(element("ul"));
head();
if (data.log) {
    curves();
} else if (!charts) {
    main.append(noCharts());
}
if (data.run && data.evaluation) {
    main.append(element("p", { class: "what" }, "What follows is of the weights in model.bin, after epoch " + data.evaluation_epoch +
        ", on " + count(data.evaluation.count) + " validation images; the test set has no part in it."));
}
evaluation();
filters();
network();
section("config", "Config", "As resolved, with every default written out.", wide("the config", element("pre", {}, data.config)));
document.getElementById("footer").textContent = "Made by cnntrain " + data.version +
    (charts ? "; charts by uPlot, \u00a9 Leon Sorokin, MIT licence (in the source of this page)." : ".");

const redraw = () => drawn.forEach((c) => c.draw());
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", redraw);
let waiting = 0;
addEventListener("resize", () => {
    cancelAnimationFrame(waiting);
    waiting = requestAnimationFrame(() => drawn.forEach((c) => c.resize()));
});
}());
