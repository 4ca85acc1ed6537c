import { spawn } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";

const executable = process.env.TODO ?? new URL("../../target/debug/todo", import.meta.url).pathname;

/** Runs the executable until `stop`, on a free port unless one is given. */
export async function start(data: string, listen = "127.0.0.1:0") {
  const options = ["--listen", listen, "--data-dir", data, "--log-level", "error"];
  const child = spawn(executable, ["all", ...options], { stdio: ["ignore", "pipe", "inherit"] });
  const exited = new Promise<void>((done) => child.on("exit", () => done()));
  const stop = async () => {
    child.kill();
    await exited;
  };
  return { url: await firstAddress(child.stdout), stop };
}

/** A folder for a server's data. */
export async function scratch() {
  const path = await mkdtemp(join(tmpdir(), "todo-e2e-"));
  return { path, remove: () => rm(path, { recursive: true }) };
}

/** One server for all tests, unless TODO_URL names one that runs. */
export default async function server() {
  if (process.env.TODO_URL) return;
  const data = await scratch();
  const { url, stop } = await start(data.path);
  process.env.TODO_URL = url;
  return async () => {
    await stop();
    await data.remove();
  };
}

async function firstAddress(out: NodeJS.ReadableStream): Promise<string> {
  for await (const line of createInterface(out)) {
    const address = /http:\/\/[^/\s]+/.exec(line)?.[0];
    if (address) return address;
  }
  throw new Error(`${executable} did not start`);
}
