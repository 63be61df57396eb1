// Starter for the sources: runs every suite in the Node that runs the tests, against real servers, over one transport.
import { after, test } from "node:test";
import { minors } from "../../scripts/servers.mjs";
import { connect } from "../../src/index.node.ts";
import { atEnd } from "../fixtures/cleanup.ts";
import { trackLeaks } from "../fixtures/leaks.ts";
import { suiteTransport, suiteVersion } from "../fixtures/real-server.ts";
import { casesOver } from "./index.ts";
import { certificates, startShared, startWished } from "./servers.ts";

const transport = suiteTransport();
const shared = await startShared({ after }, transport);
const pems = certificates();

for (const [index, { name, run }] of casesOver(transport, suiteVersion() === minors[0]).entries()) {
  test(name, async (t) => {
    trackLeaks(t);
    const url = shared.urlFor(transport);
    // after the connections of the case: the server has none left, so no subscription either
    atEnd(t, () => shared.waitForConnections(0));
    await run({
      url,
      version: shared.version,
      prefix: `case${index + 1}`,
      certificates: pems,
      connect: async (options = {}) => {
        const tls = transport === "tls" ? { tls: { ca: pems.ca } } : {};
        const nc = await connect({ servers: url, ...tls, ...options });
        atEnd(t, () => nc.close());
        return nc;
      },
      serve: (wishes) => startWished(t, transport, wishes),
    });
  });
}
