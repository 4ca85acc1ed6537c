// What the page is measured beside: a page of one file without a framework, which does the same as simply as can be.
import { createServer } from "node:http";

const html = `<!doctype html><meta charset="utf-8"><title>Bare</title>
<input aria-label="Add a task"><div data-scroll style="height:80vh;overflow:auto"><ul aria-label="Tasks"></ul></div>
<script>
const list = document.querySelector("ul");
const show = (title) => { const row = document.createElement("li"); row.textContent = title; list.prepend(row); };
document.querySelector("input").addEventListener("keydown", (event) => {
  if (event.key !== "Enter") return;
  const title = event.target.value;
  event.target.value = "";
  show(title);
  void fetch("/add", { method: "POST", body: title });
});
new EventSource("/changes").addEventListener("message", ({ data }) => show(data));
for (let count = 0; count < Number(new URLSearchParams(location.search).get("rows")); count += 1) show("task " + count);
</script>`;

/** Serves it; `tell` is a change made elsewhere. */
export async function bare() {
    const open = new Set();
    const server = createServer((request, response) => {
        if (request.url === "/changes") {
            response.writeHead(200, { "content-type": "text/event-stream" });
            response.flushHeaders();
            open.add(response);
            response.on("close", () => open.delete(response));
        } else if (request.method === "POST") {
            request.resume().on("end", () => response.writeHead(204).end());
        } else {
            response.writeHead(200, { "content-type": "text/html; charset=utf-8" }).end(html);
        }
    });
    await new Promise((done) => server.listen(0, "127.0.0.1", done));
    return {
        url: `http://localhost:${server.address().port}`,
        tell: (title) => open.forEach((response) => response.write(`data: ${title}\n\n`)),
        stop: () => {
            server.closeAllConnections();
            server.close();
        },
    };
}
