// Makes the export ready for the gateway: the service worker, compressed forms beside each file, and beside each HTML
// file the content security policy that allows just its own inline scripts.
import { createHash } from "node:crypto";
import { copyFile, readdir, readFile, writeFile } from "node:fs/promises";
import { join, relative } from "node:path";
import { brotliCompressSync, constants, gzipSync } from "node:zlib";

const root = new URL("../out/", import.meta.url).pathname;
const compressible = /\.(html|js|css|svg|txt|json|webmanifest)$/;

function policy(html) {
    const inline = [...html.matchAll(/<script(?![^>]*\ssrc=)[^>]*>([\s\S]*?)<\/script>/g)].map(([, text]) => text);
    const hashes = inline.map((text) => `'sha256-${createHash("sha256").update(text).digest("base64")}'`);
    return [
        "default-src 'self'",
        `script-src 'self' ${[...new Set(hashes)].join(" ")}`,
        // Menus and dialogs place themselves by style attributes.
        "style-src 'self' 'unsafe-inline'",
        "img-src 'self' data:",
        "worker-src 'self'",
        "manifest-src 'self'",
        "object-src 'none'",
        "base-uri 'none'",
        "form-action 'self'",
        "frame-ancestors 'none'",
    ].join("; ");
}

async function files() {
    const entries = await readdir(root, { recursive: true, withFileTypes: true });
    return entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
}

// What a page that is not there shows, and what is fetched only when it is.
const left = /^\/(404|_not-found)|^\/worker\.js$|^\/push\.js$/;

/** The worker, that names every file of the export by its path, and whose own content changes with any of them. */
async function worker() {
    const source = new URL("../worker/", import.meta.url).pathname;
    await copyFile(`${source}push.js`, `${root}push.js`);
    const hash = createHash("sha256");
    const paths = [];
    for (const path of (await files()).sort()) {
        const name = `/${relative(root, path)}`;
        if (left.test(name)) continue;
        hash.update(name).update(await readFile(path));
        paths.push(name === "/index.html" ? "/" : name.replace(/\.html$/, ""));
    }
    const head = [
        'importScripts("/push.js");',
        `const VERSION = "${hash.digest("hex").slice(0, 16)}";`,
        `const FILES = ${JSON.stringify(paths)};`,
    ];
    await writeFile(`${root}worker.js`, [...head, await readFile(`${source}worker.js`)].join("\n"));
}

await worker();
let total = 0;
for (const path of await files()) {
    const content = await readFile(path);
    if (!compressible.test(path)) {
        total += content.length;
        continue;
    }
    if (path.endsWith(".html")) await writeFile(`${path}.csp`, policy(content.toString()));
    const brotli = brotliCompressSync(content, { params: { [constants.BROTLI_PARAM_QUALITY]: 11 } });
    await writeFile(`${path}.br`, brotli);
    await writeFile(`${path}.gz`, gzipSync(content, { level: 9 }));
    total += brotli.length;
}
console.log(`The export is ${Math.round(total / 1000)} kB compressed.`);
