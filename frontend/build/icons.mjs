// Draws the icons for home screens from src/app/icon.svg, by `node build/icons.mjs`; they are kept in the tree.
import { readFile } from "node:fs/promises";
import sharp from "sharp";

const root = new URL("../", import.meta.url).pathname;
const svg = await readFile(`${root}src/app/icon.svg`, "utf8");
// What masks its icons cuts corners off, so that the sign is smaller there and the ground reaches the edge.
const bleeding = svg.replace('rx="9"', "").replace("<path ", '<path transform="translate(3.2 3.2) scale(0.8)" ');

const icons = [
    ["public/icon-192.png", 192, svg],
    ["public/icon-512.png", 512, svg],
    ["public/maskable-512.png", 512, bleeding],
    ["src/app/apple-icon.png", 180, bleeding],
];

for (const [path, size, source] of icons) {
    const drawn = sharp(Buffer.from(source), { density: (72 * size) / 32 }).resize(size, size);
    await drawn.png({ palette: true, colours: 64, dither: 0 }).toFile(root + path);
}
