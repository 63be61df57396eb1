// Client options: what a client says in CONNECT, and what holds where it says nothing.

/** The fields of CONNECT that a server looks at. */
export interface ClientOptions {
  readonly verbose: boolean;
  readonly pedantic: boolean;
  readonly echo: boolean;
  readonly headers: boolean;
  readonly no_responders: boolean;
  readonly protocol: number;
  readonly name: string;
  readonly lang: string;
  readonly version: string;
  readonly user: string;
  readonly pass: string;
  readonly auth_token: string;
  readonly nkey: string;
  readonly sig: string;
  readonly jwt: string;
  readonly account: string;
  readonly new_account: boolean;
}

/** Who never sends CONNECT has these too. */
export const CLIENT_DEFAULTS: ClientOptions = {
  verbose: true,
  pedantic: true,
  echo: true,
  headers: false,
  no_responders: false,
  protocol: 0,
  name: "",
  lang: "",
  version: "",
  user: "",
  pass: "",
  auth_token: "",
  nkey: "",
  sig: "",
  jwt: "",
  account: "",
  new_account: false,
};

/** The options of before, changed by a CONNECT; undefined when it can't be understood. Unknown fields mean nothing. */
export function parseConnect(json: string, before: ClientOptions): ClientOptions | undefined {
  let given: unknown;
  try {
    given = JSON.parse(json);
  } catch {
    return undefined;
  }
  if (typeof given !== "object" || given === null || Array.isArray(given)) return undefined;
  const fields = given as Record<string, unknown>;
  const options: Record<string, unknown> = { ...before };
  for (const [name, fallback] of Object.entries(CLIENT_DEFAULTS)) {
    const value = fields[name];
    if (value === undefined || value === null) continue;
    if (typeof value !== typeof fallback) return undefined;
    options[name] = value;
  }
  return options as unknown as ClientOptions;
}
