// Makes the export ready for the gateway: compressed forms beside each file, and beside each HTML file the content
// security policy that allows just its own inline scripts.
import { createHash } from "node:crypto";
import { cp, readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
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
        "object-src 'none'",
        "base-uri 'none'",
        "form-action 'self'",
        "worker-src 'self'",
        "frame-ancestors 'none'",
    ].join("; ");
}

await cp(new URL("../worker/", import.meta.url), root, { recursive: true });

let total = 0;
for (const entry of await readdir(root, { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath, entry.name);
    if (!entry.isFile()) continue;
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
