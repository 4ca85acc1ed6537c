// Measures the page in a browser beside a bare one in the same run, and prints a table as the other benchmarks have it.
import { readdir, readFile, stat } from "node:fs/promises";
import { join } from "node:path";

import { chromium } from "@playwright/test";

import { bare } from "./bare.mjs";
import { add, interactive, prepare, scroll, told } from "./measure.mjs";
import { fill, person, start } from "./system.mjs";

const TASKS = Number(process.env.TASKS ?? 10_000);
const ROUNDS = Number(process.env.ROUNDS ?? 20);
const FRAMES = 300;
const out = new URL("../out/", import.meta.url).pathname;

const kilobytes = (bytes) => `${(bytes / 1000).toFixed(1)} kB`;
const span = (value) => `${value.toFixed(value < 10 ? 1 : 0)} ms`;
const middle = (values) => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)];
const spread = (values) => `p50 ${span(middle(values))}, longest ${span(Math.max(...values))}`;

/** The size of what the page's document names, and of the whole export as the executable has it. */
async function sizes() {
    const document = await readFile(join(out, "tasks.html"), "utf8");
    const named = new Set([...document.matchAll(/\/_next\/static\/[^"'\\ ]+?\.js/g)].map(([name]) => name));
    // Loaded by browsers too old for modules only.
    const scripts = [...named].filter((name) => !document.includes(`src="${name}" noModule`));
    const sum = async (end) => {
        const all = await Promise.all(scripts.map((name) => stat(join(out, name + end))));
        return all.reduce((total, { size }) => total + size, 0);
    };
    const files = await readdir(out, { recursive: true, withFileTypes: true });
    const paths = files.filter((file) => file.isFile()).map((file) => join(file.parentPath, file.name));
    // As gateway/build.rs embeds it.
    const all = await Promise.all(paths.filter((path) => !paths.includes(`${path}.gz`)).map((path) => stat(path)));
    return {
        gzip: await sum(".gz"),
        brotli: await sum(".br"),
        embedded: all.reduce((total, { size }) => total + size, 0),
    };
}

/** Bytes of script as they came, until the first task was drawn. */
async function scriptUntil(page, act) {
    const session = await page.context().newCDPSession(page);
    await session.send("Network.enable");
    await session.send("Network.setCacheDisabled", { cacheDisabled: true });
    const scripts = new Set();
    let total = 0;
    session.on("Network.responseReceived", ({ type, requestId }) => type === "Script" && scripts.add(requestId));
    session.on("Network.loadingFinished", ({ requestId, encodedDataLength }) => {
        if (scripts.has(requestId)) total += encodedDataLength;
    });
    await act();
    await session.detach();
    return total;
}

async function times(count, act) {
    const taken = [];
    for (let round = 0; round < count; round += 1) taken.push(await act(round));
    return taken;
}

const rows = [];
function row(what, measured, { reference = "", ratio = "", goal = "", met } = {}) {
    rows.push(
        `| ${what} | ${measured} | ${reference} | ${ratio} | ${goal} | ${met === undefined ? "" : met ? "yes" : "**no**"} |`,
    );
}
function beside(what, own, other, goal, limit) {
    const ratio = `${(middle(own) / middle(other)).toFixed(1)} x at p50`;
    row(what, spread(own), { reference: spread(other), ratio, goal, met: middle(own) < limit });
}

const launchOptions = { executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium", args: ["--no-sandbox"] };
const [system, reference, browser] = await Promise.all([start(), bare(), chromium.launch(launchOptions)]);
try {
    const one = await person(system.url);
    await fill(one, TASKS);
    const context = await browser.newContext({ timezoneId: "UTC", locale: "en-GB", serviceWorkers: "block" });
    const [page, plain] = [await context.newPage(), await context.newPage()];
    await Promise.all([prepare(page), prepare(plain)]);
    const tasks = `${system.url}/tasks?view=all`;
    await page.goto(tasks);
    await page.getByLabel("E-mail").fill(one.email);
    await page.getByLabel("Password").fill(one.password);
    await page.getByRole("button", { name: "Sign in" }).click();
    await page.locator("li[aria-posinset]").first().waitFor();

    const { gzip, brotli, embedded } = await sizes();
    const goal = "under 200 kB";
    row("script that the document of /tasks names, Brotli", kilobytes(brotli), { goal, met: brotli < 200_000 });
    row("the same, gzip", kilobytes(gzip), { goal, met: gzip < 200_000 });
    await page.bringToFront();
    const until = await scriptUntil(page, () => interactive(page, tasks));
    row("all script until the first task is drawn, as it came", kilobytes(until));
    row("bytes that the export adds to the executable", kilobytes(embedded), {
        goal: "under 3 MB",
        met: embedded < 3e6,
    });

    const rounds = Math.ceil(ROUNDS / 2);
    const own = await times(rounds, () => interactive(page, tasks));
    await plain.bringToFront();
    const other = await times(rounds, () => interactive(plain, `${reference.url}/?rows=${TASKS}`));
    beside("from navigation to the first task drawn, and the line takes keys", own, other, "under 1 s", 1000);

    await page.bringToFront();
    await page.waitForFunction((count) => Number(document.querySelector("h1 + span")?.textContent) >= count, TASKS);
    const steps = await times(5, () => scroll(page, FRAMES));
    await plain.bringToFront();
    const plainSteps = await times(5, () => scroll(plain, FRAMES));
    beside(
        `longest task while ${TASKS} are scrolled through in ${FRAMES} frames`,
        steps,
        plainSteps,
        "under 50 ms",
        50,
    );

    await page.bringToFront();
    await page.goto(`${system.url}/tasks?view=all&sort=created`);
    await page.waitForFunction((count) => Number(document.querySelector("h1 + span")?.textContent) >= count, TASKS);
    const added = await times(ROUNDS, (round) => add(page, `added ${round}`));
    const heard = await times(ROUNDS, (round) => told(page, one.add, `told ${round}`));
    await plain.bringToFront();
    await plain.goto(reference.url);
    const plainAdded = await times(ROUNDS, (round) => add(plain, `added ${round}`));
    const plainHeard = await times(ROUNDS, (round) => told(plain, reference.tell, `told ${round}`));
    beside(`from Enter to the added task drawn, beside ${TASKS} others`, added, plainAdded, "p50 under 50 ms", 50);
    beside("from the request elsewhere to its task drawn", heard, plainHeard, "p50 under 150 ms", 150);
} finally {
    await browser.close();
    reference.stop();
    await system.stop();
}

console.log(`## Page

In Chromium, signed in, ${TASKS} tasks; browser and server share the machine. The reference is a page of one file without a framework that does the same by hand, all rows in the document. Times are of the page's own clock, up to the frame in which the row is drawn; tasks are counted by their time on the processor, so that other processes do not count.

| what | measured | reference | ratio | goal | met |
|---|---|---|---|---|---|
${rows.join("\n")}`);
