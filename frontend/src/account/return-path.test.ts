import { expect, test } from "vitest";

import { returnPath, signInPath } from "./return-path";

test("one comes back to where one was", () => {
  const path = "/tasks?view=tag&tag=a%26b";
  expect(returnPath(signInPath(path).slice("/signin".length))).toBe(path);
});

test("nobody is sent to another site", () => {
  for (const next of ["//evil.example", "/\\evil.example", "https://evil.example", "javascript:alert(1)", ""]) {
    expect(returnPath(`?next=${encodeURIComponent(next)}`)).toBe("/tasks");
  }
});
