// The executable with the page, and one who uses it.
import { spawn } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";

const executable = process.env.TODO ?? new URL("../../target/release/todo", import.meta.url).pathname;

/** Starts it, unless TODO_URL names one that runs. */
export async function start() {
    if (process.env.TODO_URL) return { url: process.env.TODO_URL, stop: () => undefined };
    const data = await mkdtemp(join(tmpdir(), "todo-bench-"));
    const options = ["all", "--listen", "127.0.0.1:0", "--data-dir", data, "--log-level", "error"];
    const child = spawn(executable, options, { stdio: ["ignore", "pipe", "inherit"] });
    const exited = new Promise((done) => child.on("exit", done));
    for await (const line of createInterface(child.stdout)) {
        const port = /http:\/\/[^/\s]+:(\d+)/.exec(line)?.[1];
        if (!port) continue;
        const stop = async () => {
            child.kill();
            await exited;
            await rm(data, { recursive: true });
        };
        return { url: `http://localhost:${port}`, stop };
    }
    throw new Error(`${executable} did not start`);
}

export async function person(url) {
    const account = { email: `bench-${Date.now()}@example.org`, password: "correct horse" };
    const call = async (method, path, body, token) => {
        const headers = { "content-type": "application/json", ...(token && { authorization: `Bearer ${token}` }) };
        const response = await fetch(url + path, { method, headers, body: JSON.stringify(body) });
        if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${await response.text()}`);
        return response.json();
    };
    const names = { display_name: "Bench", time_zone: "UTC" };
    const { access_token: token } = await call("POST", "/api/auth/signup", { ...account, ...names });
    const add = (title, more) => call("POST", "/api/tasks", { title, ...more }, token);
    return { ...account, add };
}

/** Gives somebody many tasks, as they might have them. */
export async function fill({ add }, count) {
    let next = 0;
    const lane = async () => {
        for (let at = next++; at < count; at = next++) {
            const due_date = at % 3 ? new Date(Date.now() + (at % 400) * 21_600_000).toISOString() : null;
            const priority = ["high", "medium", "low"][at % 3];
            await add(`task ${at}`, { due_date, priority, tags: at % 2 ? ["home", "work"] : [] });
        }
    };
    await Promise.all(Array.from({ length: 16 }, lane));
}
