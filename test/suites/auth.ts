// Suite: logging in, by all that a server may ask for without an operator.
import {
  type ConnectionOptions,
  nkeyAuthenticator,
  nkeys,
  tokenAuthenticator,
  usernamePasswordAuthenticator,
} from "../../src/names.ts";
import type { Suite } from "./harness.ts";
import { Events, equal, ok, rejects } from "./tools.ts";

export const auth: Suite = {
  name: "auth",
  needs: ["own-server"],
  cases: {
    "user and password: by option, authenticator, async functions and address (C-AUTH-1)": async ({
      connect,
      serve,
    }) => {
      const { url } = await serve({ users: [{ user: "ann", pass: "p" }] });
      const ways: ConnectionOptions[] = [
        { servers: url, user: "ann", pass: "p" },
        { servers: url, authenticator: usernamePasswordAuthenticator("ann", "p") },
        {
          servers: url,
          authenticator: usernamePasswordAuthenticator(
            async () => "ann",
            async () => "p",
          ),
        },
        { servers: url.replace("://", "://ann:p@") },
      ];
      for (const options of ways) await (await connect(options)).flush();
    },

    "a token: by option, authenticator and address (C-AUTH-1)": async ({ connect, serve }) => {
      const token = "s3/cr:et@1%";
      const { url } = await serve({ token });
      const ways: ConnectionOptions[] = [
        { servers: url, token },
        { servers: url, authenticator: tokenAuthenticator(async () => token) },
        { servers: url.replace("://", `://${encodeURIComponent(token)}@`) },
      ];
      for (const options of ways) await (await connect(options)).flush();
      await rejects(connect({ servers: url, token: "another" }), "AUTHORIZATION");
    },

    "an nkey signs the nonce of each dial (C-AUTH-2, C-INFO-4)": async ({ connect, serve }) => {
      const pair = nkeys.createUser();
      const { url } = await serve({ nkeys: [pair.getPublicKey()] });
      const sign = nkeyAuthenticator(pair.getSeed());
      const nonces: (string | undefined)[] = [];
      const nc = await connect({
        servers: url,
        authenticator: (nonce) => {
          nonces.push(nonce);
          return sign(nonce);
        },
      });
      const events = new Events(nc);
      await nc.reconnect();
      await events.until("reconnect");
      equal(nonces.length, 2);
      ok(nonces[0] !== nonces[1], "the nonce is the same");
      const stranger = nkeyAuthenticator(nkeys.createUser().getSeed());
      await rejects(connect({ servers: url, authenticator: stranger }), "AUTHORIZATION");
    },

    "an authenticator that fails is the reason (trap 23)": async ({ connect, serve }) => {
      const { url } = await serve({ users: [{ user: "ann", pass: "p" }] });
      const cause = new Error("the vault is sealed");
      const error = await rejects(
        connect({ servers: url, authenticator: () => Promise.reject(cause) }),
        "AUTHENTICATOR",
      );
      equal(error.cause, cause);
    },
  },
};
