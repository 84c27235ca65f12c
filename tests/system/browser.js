// browser.js: open pages in headless Chromium and print, as JSON, what a reader would find there: for report_browser.py.
//
// usage: node browser.js PLAYWRIGHT CHROMIUM
//
// PLAYWRIGHT is the folder of the module playwright-core, CHROMIUM the browser. Each line of standard input asks for a page, as
// JSON: [its file, "light" or "dark", the window's width in pixels]; the answer is a line. The page itself is as it is on disk,
// nothing is put into it. Everything it asks for is listed, itself included, and everything it complains about; then each chart
// gets the focus and the key Home.
"use strict";
const { createInterface } = require("readline");
const { pathToFileURL } = require("url");

const ARGUMENTS = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync"];

// Runs in the page: its texts, pictures and measures.
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
    return {
        title: document.title, heading: text(document.querySelector("h1")), status: text(document.querySelector("#status")),
        figures: Object.fromEntries(all("#figures div").map((d) => [text(d.querySelector("dt")), text(d.querySelector("dd"))])),
        sections: all("main section").map((s) => s.id), links: all("nav a").map((a) => a.getAttribute("href").slice(1)),
        canvases: all("canvas").map(painted), charts: all(".chart").length,
        confusion: all(".confusion tbody tr").map((r) => [...r.querySelectorAll("td")].map(text)),
        classes: all("#classes tbody tr").map((r) => [...r.children].map(text)),
        pictures: all("main img").map((i) => [i.complete && i.naturalWidth > 0, i.alt]),
        dark: matchMedia("(prefers-color-scheme: dark)").matches, ground: getComputedStyle(document.body).backgroundColor,
        ink: getComputedStyle(document.body).color, width: innerWidth, scroll: document.documentElement.scrollWidth,
        notes: all(".note").map(text), calibration: all("#calibration p").map(text).join(" "),
    };
}

// Runs in the page: what the legends of the charts say.
function legends() {
    return [...document.querySelectorAll(".chart")].map((c) => [...c.querySelectorAll(".u-value")].map((e) => e.innerText.trim()));
}

// Runs in the page: until what was to be drawn is drawn.
function drawn() {
    return new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(() => done())));
}

// One page, in a context of its own: nothing is kept from one to the next.
async function open(browser, [file, colorScheme, width]) {
    const page = await browser.newPage({ viewport: { width, height: 900 } });
    try {
        const requests = [], errors = [], console = [];
        page.on("request", (request) => requests.push(request.url()));
        page.on("websocket", (socket) => requests.push(socket.url()));
        page.on("pageerror", (error) => errors.push(error.message));
        page.on("console", (message) => console.push(`${message.type()}: ${message.text()}`));
        await page.emulateMedia({ colorScheme });
        await page.goto(pathToFileURL(file).href, { waitUntil: "load" });
        await page.evaluate(drawn);
        const before = await page.evaluate(legends);
        for (const chart of await page.locator(".chart").all()) {
            await chart.focus();
            await page.keyboard.press("Home");
        }
        await page.evaluate(drawn);
        const after = await page.evaluate(legends), focus = await page.evaluate(() => document.activeElement.className);
        const seen = await page.evaluate(look);
        return { ...seen, before, after, focus, errors, console, requests: requests.filter((url) => !url.startsWith("data:")) };
    } finally {
        await page.close();
    }
}

async function main([playwright, executablePath]) {
    const { chromium } = require(playwright);
    const browser = await chromium.launch({ executablePath, args: ARGUMENTS });
    try {
        for await (const line of createInterface({ input: process.stdin })) {
            process.stdout.write(JSON.stringify(await open(browser, JSON.parse(line))) + "\n");
        }
    } finally {
        await browser.close();
    }
}

main(process.argv.slice(2)).catch((error) => {
    process.stderr.write(`browser.js: ${error.stack}\n`);
    process.exitCode = 1;
});
