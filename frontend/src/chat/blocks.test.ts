import { expect, test } from "vitest";

import { blocks, pieces } from "./blocks";

test("lists keep their numbers, and lines their breaks", () => {
  expect(blocks("Due:\n3. rent\n4. milk\nand 2 more\n\n- a\n- b")).toEqual([
    { kind: "text", lines: ["Due:"] },
    { kind: "numbers", start: 3, lines: ["rent", "milk"] },
    { kind: "text", lines: ["and 2 more"] },
    { kind: "bullets", lines: ["a", "b"] },
  ]);
  expect(blocks("one\ntwo\n\nthree").map(({ lines }) => lines)).toEqual([["one", "two"], ["three"]]);
});

test("what only looks like markup stays text", () => {
  expect(blocks("<b>x</b> - y")).toEqual([{ kind: "text", lines: ["<b>x</b> - y"] }]);
  expect(pieces("a **b c** d")).toEqual(["a ", "b c", " d"]);
  expect(pieces("2 ** 3 ** 4")).toEqual(["2 ** 3 ** 4"]);
});
