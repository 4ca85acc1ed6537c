// What is measured in a page, be it ours or the bare one. Times are milliseconds.

/** Runs before a page does: when rows came, by their text, as Date.now() has it. */
function watch() {
    window.seen = new Map();
    window.interactive = undefined;
    const look = (element) => {
        if (element.nodeType !== 1) return;
        const rows = element.matches("li") ? [element] : element.querySelectorAll("li");
        for (const row of rows) {
            const texts = document.createTreeWalker(row, NodeFilter.SHOW_TEXT);
            while (texts.nextNode()) {
                const title = texts.currentNode.data;
                if (!/^(task|added|told) \d+$/.test(title) || window.seen.has(title)) continue;
                // The frame in which it is drawn begins next; what comes after it is drawn.
                requestAnimationFrame(() => window.seen.set(title, performance.timeOrigin + performance.now()));
            }
        }
    };
    window.watcher = new MutationObserver((changes) => {
        for (const { addedNodes, target } of changes) {
            addedNodes.forEach(look);
            if (target.nodeType === 3 && target.parentElement?.closest("li")) look(target.parentElement.closest("li"));
        }
    });
    window.watcher.observe(document, { childList: true, subtree: true, characterData: true });
}

export const prepare = (page) => page.addInitScript(watch);

const seen = (page, title) =>
    page.waitForFunction((name) => window.seen.get(name), title, { polling: 20 }).then((handle) => handle.jsonValue());

/** From the start of the navigation until the first task is drawn and the line takes keys. */
export async function interactive(page, url) {
    await page.goto(url, { waitUntil: "commit" });
    await page.getByLabel("Add a task").focus();
    return page
        .waitForFunction(() => window.seen.size > 0 && Math.min(...window.seen.values()) - performance.timeOrigin)
        .then((handle) => handle.jsonValue());
}

/** From the key until the row is drawn. */
export async function add(page, title) {
    await page.getByLabel("Add a task").fill(title);
    await page.getByLabel("Add a task").evaluate((input) =>
        input.addEventListener("keydown", () => (window.pressed = performance.timeOrigin + performance.now()), {
            once: true,
            capture: true,
        }),
    );
    await page.keyboard.press("Enter");
    const at = await seen(page, title);
    return at - (await page.evaluate(() => window.pressed));
}

/** From before the change is asked for until its row is drawn. */
export async function told(page, tell, title) {
    const before = performance.timeOrigin + performance.now();
    await tell(title);
    return (await seen(page, title)) - before;
}

/**
 * The longest task of the page's main thread, in time on the processor, while the list goes from its top to its end in
 * `steps` frames.
 */
export async function scroll(page, steps) {
    await page.evaluate(() => window.watcher.disconnect());
    const session = await page.context().newCDPSession(page);
    const tasks = [];
    session.on("Tracing.dataCollected", ({ value }) => tasks.push(...value));
    await session.send("Tracing.start", {
        transferMode: "ReportEvents",
        traceConfig: {
            includedCategories: [
                "toplevel",
                "disabled-by-default-devtools.timeline",
                "devtools.timeline",
                "blink.user_timing",
            ],
        },
    });
    await page.evaluate(async (frames) => {
        const list = document.querySelector("[data-scroll]");
        const step = (list.scrollHeight - list.clientHeight) / frames;
        performance.mark("scroll-begins");
        for (let frame = 1; frame <= frames; frame += 1) {
            list.scrollTop = step * frame;
            await new Promise((done) => requestAnimationFrame(done));
        }
        performance.mark("scroll-ends");
    }, steps);
    const complete = new Promise((done) => session.once("Tracing.tracingComplete", done));
    await session.send("Tracing.end");
    await complete;
    await session.detach();
    const begins = tasks.find(({ name }) => name === "scroll-begins");
    const ends = tasks.find(({ name }) => name === "scroll-ends");
    const own = tasks.filter(
        ({ name, ph, pid, tid, ts }) =>
            ph === "X" &&
            /RunTask/.test(name) &&
            pid === begins.pid &&
            tid === begins.tid &&
            ts >= begins.ts &&
            ts <= ends.ts,
    );
    if (own.length === 0) throw new Error("the trace has no tasks");
    return Math.max(...own.map(({ tdur = 0 }) => tdur)) / 1000;
}
