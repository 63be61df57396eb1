// Differential: calls of the API, publishes and direct gets, drawn at random, are answered as a nats-server 2.15 answers them.
import { after, test } from "node:test";
import fc from "fast-check";
import { draws } from "../fixtures/draws.ts";
import { said, saying } from "./api-calls.ts";
import { converse, forget } from "./conversation.ts";
import { pair } from "./pair.ts";

const both = await pair({ after }, { server_name: "T" }, { jetstream: true, name: "T" });

let runs = 0;

test("calls of the API that are drawn at random are answered alike", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(saying, { minLength: 1, maxLength: 8 }), async (sayings) => {
      const run = ++runs;
      const create = said(
        { verb: "$JS.API.STREAM.CREATE.S", body: '{"name":"S","subjects":["s.>"],"storage":"memory"}' },
        run,
      );
      try {
        await converse(both, [
          "SUB in.1 1\r\nSUB in.2 2\r\n",
          ...(run % 2 ? [create] : []),
          ...sayings.map((one) => said(one, run)),
        ]);
      } finally {
        const ends = ["S", "T"].map((of) => said({ verb: `$JS.API.STREAM.DELETE.${of}`, body: "" }, run));
        await forget(both, ends);
      }
    }),
    draws(2000),
  );
});
