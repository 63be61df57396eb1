// Serve: one of the pages beside this file, with a nats-server that takes WebSocket where it needs one, until Ctrl-C.
//
//   npm run board                               the shared board
//   npm run kitchen                             a page with its server inside: there is no other
//   node examples/browser/serve.mjs worker      or another page: worker, plain
import { createReadStream } from "node:fs";
import { createServer } from "node:http";
import { fileURLToPath } from "node:url";
import { natsServer } from "../demo/nats-server.mjs";

const [, , page = "board"] = process.argv;
const port = Number(process.env.PORT ?? 5173);
const path = (from) => fileURLToPath(new URL(from, import.meta.url));

const url = page === "plain" ? await files() : await vite();
if (page === "kitchen") console.log(`Open this: ${url}`);
else {
  const nats = await natsServer({ websocket: true });
  await nats.start();
  console.log(`${nats.name} takes WebSocket at ${nats.websocketUrl}`);
  console.log(`Open this in two tabs: ${url}?server=${nats.websocketUrl}`);
}

/** Vite's own server, as `npx vite` in a project with isonats among its dependencies. */
async function vite() {
  const { createServer } = await import("vite");
  const server = await createServer({
    root: path(`./${page}/`),
    // in a project of your own, `npm install isonats` does this
    resolve: {
      alias: [
        { find: /^isonats$/, replacement: path("../../dist/index.js") },
        { find: /^isonats\/(\w+)$/, replacement: path("../../dist/$1/index.js") },
      ],
    },
    server: { host: "127.0.0.1", port },
    logLevel: "warn",
  });
  await server.listen();
  return server.resolvedUrls.local[0];
}

/** A web server of files, which is all that a page without a bundler needs. */
async function files() {
  const server = createServer((request, response) => {
    const { pathname } = new URL(request.url, "http://localhost");
    const [, file] = /^\/isonats\/([\w-]+\.js)$/.exec(pathname) ?? [];
    if (pathname !== "/" && file === undefined) return response.writeHead(404).end();
    response.writeHead(200, { "content-type": file === undefined ? "text/html" : "text/javascript" });
    createReadStream(path(file === undefined ? "./plain/index.html" : `../../dist/browser/${file}`)).pipe(
      response,
    );
  });
  await new Promise((resolve) => server.listen(port, "127.0.0.1", resolve));
  return `http://127.0.0.1:${server.address().port}/`;
}
