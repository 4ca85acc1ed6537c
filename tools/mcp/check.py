"""Lists and calls every tool as the usual clients do: the MCP Inspector's command line and the Python client, each over
HTTP and over standard input and output. Arguments: the server's address, a token, the executable, the Inspector."""

import asyncio
import contextlib
import json
import sys

import httpx2
from mcp import Client, StdioServerParameters
from mcp.client.streamable_http import streamable_http_client

URL, TOKEN, TODO, INSPECTOR = sys.argv[1:]
STDIO = [TODO, "mcp", "--url", URL]
HEADER = f"Bearer {TOKEN}"


class Inspector:
    """Each call is a process and a session of its own."""

    def __init__(self, target):
        self.target = target

    async def run(self, *arguments):
        command = [INSPECTOR, "--cli", *self.target, *arguments]
        process = await asyncio.create_subprocess_exec(*command, stdout=-1, stderr=-1)
        out, err = await process.communicate()
        assert process.returncode == 0, f"{arguments}: {out.decode()}{err.decode()}"
        return json.loads(out)

    async def tools(self):
        # With --strict a schema that some client refuses is an error.
        return [tool["name"] for tool in (await self.run("--method", "tools/list", "--strict"))["tools"]]

    async def call(self, name, arguments):
        arguments = ["--tool-name", name, "--tool-args-json", json.dumps(arguments)]
        return (await self.run("--method", "tools/call", *arguments))["structuredContent"]


class Python:
    """One session; the client checks each result against its schema."""

    def __init__(self, client):
        self.client = client

    async def tools(self):
        return [tool.name for tool in (await self.client.list_tools()).tools]

    async def call(self, name, arguments):
        return (await self.client.call_tool(name, arguments)).structured_content


async def story(client):
    """Calls every tool, each of which does what it says."""
    called = set()

    async def call(tool, **arguments):
        called.add(tool)
        result = await client.call(tool, arguments)
        assert result["success"] and result["error"] is None, f"{tool}: {result}"
        return result["data"]

    tools = await client.tools()
    recurrence = {"recurrence_type": "rrule", "rrule": "FREQ=MONTHLY"}
    reminders = [{"before_due_seconds": 3600}]
    task = await call("add_task", title="Rent", tags=["home"], due_date="2035-01-01T09:00", priority="high",
                      reminders=reminders, recurrence=recurrence)
    assert task["recurrence"]["rrule"] == "FREQ=MONTHLY" and len(task["reminders"]) == 1, task
    one = {"id": task["id"]}
    assert await call("get_task", **one) == task
    listed = await call("list_tasks", tag=["home"], status=["pending"], search="ren", sort_by="due_date")
    assert listed["tasks"] == [task], listed
    assert (await call("list_tags"))["tags"] == [{"tag": "home", "count": 1}]
    moved = await call("update_task", **one, due_date="2035-01-02", tags=None)
    assert moved["due_all_day"] and moved["tags"] == [] and moved["recurrence"]["id"] == task["recurrence"]["id"], moved
    assert (await call("undo_change", revision=moved["revision"]))["task"]["tags"] == ["home"]
    assert (await call("complete_task", **one))["status"] == "completed"
    assert (await call("reopen_task", **one))["status"] == "pending"
    batch = {"ids": [task["id"]], "action": "update", "task": {"priority": "low"}}
    shown = await call("batch_change", **batch)
    done = await call("batch_change", **batch, confirm_token=shown["confirm_token"])
    assert done["tasks"][0]["priority"] == "low", done
    preview = await call("preview_occurrences", recurrence=recurrence, due_date="2035-01-01T09:00", limit=2)
    assert len(preview["occurrences"]) == 2, preview
    assert (await call("delete_task", **one))["deleted"]
    assert called == set(tools), f"called {sorted(called)}, listed {sorted(tools)}"
    return len(called)


@contextlib.asynccontextmanager
async def python_http():
    async with httpx2.AsyncClient(headers={"Authorization": HEADER}, timeout=30) as http:
        async with Client(streamable_http_client(f"{URL}/mcp", http_client=http)) as client:
            yield Python(client)


@contextlib.asynccontextmanager
async def python_stdio():
    parameters = StdioServerParameters(command=STDIO[0], args=STDIO[1:], env={"TODO_TOKEN": TOKEN})
    async with Client(parameters) as client:
        yield Python(client)


async def main():
    http = ["--transport", "http", "--server-url", f"{URL}/mcp", "--header", f"Authorization: {HEADER}"]
    clients = {
        "MCP Inspector, HTTP": contextlib.nullcontext(Inspector(http)),
        "MCP Inspector, stdio": contextlib.nullcontext(Inspector([*STDIO, "-e", f"TODO_TOKEN={TOKEN}"])),
        "Python mcp, HTTP": python_http(),
        "Python mcp, stdio": python_stdio(),
    }
    for name, client in clients.items():
        async with client as client:
            print(f"{name}: {await story(client)} tools listed and called", flush=True)


asyncio.run(main())
