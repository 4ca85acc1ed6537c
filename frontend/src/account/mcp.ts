/** What to paste where, so that an MCP client finds the tools: as docs/mcp.md has it. */
export type Client = { id: string; name: string; where: string; text: string };

const json = (value: object) => JSON.stringify(value, null, 2);

/** The lines of usual clients, with the address of this server and a token. */
export function clients(origin: string, token: string): Client[] {
  const url = `${origin}/mcp`;
  const headers = { Authorization: `Bearer ${token}` };
  return [
    {
      id: "claude-code",
      name: "Claude Code",
      where: "In a terminal",
      text: `claude mcp add --transport http todo ${url} --header "Authorization: Bearer ${token}"`,
    },
    { id: "cursor", name: "Cursor", where: ".cursor/mcp.json", text: json({ mcpServers: { todo: { url, headers } } }) },
    {
      id: "vscode",
      name: "VS Code",
      where: ".vscode/mcp.json",
      text: json({ servers: { todo: { type: "http", url, headers } } }),
    },
    {
      id: "claude-desktop",
      name: "Claude Desktop",
      where: "claude_desktop_config.json, where todo is installed",
      text: json({
        mcpServers: {
          todo: { command: "todo", args: ["mcp"], env: { TODO_URL: origin, TODO_TOKEN: token } },
        },
      }),
    },
  ];
}
