import { expect, test } from "vitest";

import { clients } from "./mcp";

test("each client is told the address and the token, in the form that it reads", () => {
  const [code, ...files] = clients("https://todo.example.org", "todo_pat_1");
  expect(code?.text).toBe(
    'claude mcp add --transport http todo https://todo.example.org/mcp --header "Authorization: Bearer todo_pat_1"',
  );
  const http = { url: "https://todo.example.org/mcp", headers: { Authorization: "Bearer todo_pat_1" } };
  expect(files.map(({ text }) => JSON.parse(text) as unknown)).toEqual([
    { mcpServers: { todo: http } },
    { servers: { todo: { type: "http", ...http } } },
    {
      mcpServers: {
        todo: {
          command: "todo",
          args: ["mcp"],
          env: { TODO_URL: "https://todo.example.org", TODO_TOKEN: "todo_pat_1" },
        },
      },
    },
  ]);
});
