// Logins: who may connect, and as whom.
import { InvalidArgumentError } from "../errors.ts";
import { utf8Encoder } from "../lib/bytes.ts";
import type { Account } from "./account.ts";
import type { ClientOptions } from "./client-options.ts";
import type { ServerOptions } from "./options.ts";
import { type PermissionOptions, Permissions } from "./permissions.ts";

/** A user: by name and password, or by NKey. */
export interface UserOptions {
  readonly user?: string;
  readonly password?: string;
  /** the public key of a user (`U...`), who signs the nonce */
  readonly nkey?: string;
  readonly permissions?: PermissionOptions;
}

/** Whether the signature is that of the key, a user's public one, under the nonce. May throw where either is malformed. */
export type VerifyNkey = (nkey: string, nonce: Uint8Array, signature: Uint8Array) => boolean;

/** Who a connection is. */
export interface Identity {
  /** `""` where nobody had to say */
  readonly user: string;
  readonly account: Account;
  readonly permissions: Permissions | undefined;
  /** as they were given, for `$SYS.REQ.USER.INFO` */
  readonly rights: PermissionOptions | undefined;
}

interface Login {
  readonly options: UserOptions;
  readonly account: Account;
}

export class Logins {
  readonly #users = new Map<string, Login>();
  readonly #token: string | undefined;
  readonly #nobody: Account;
  readonly #unnamed: string | undefined;
  readonly #verify: VerifyNkey | undefined;

  /** `noAuthUser` is who those are that give no credentials */
  constructor(
    nobody: Account,
    { token, noAuthUser, verifyNkey }: Pick<ServerOptions, "token" | "noAuthUser" | "verifyNkey">,
  ) {
    this.#nobody = nobody;
    this.#token = token;
    this.#unnamed = noAuthUser;
    this.#verify = verifyNkey;
  }

  add(options: UserOptions, account: Account): void {
    const { user, nkey, password } = options;
    const key = nkey ?? user;
    if (key === undefined || (nkey === undefined && password === undefined)) {
      throw new InvalidArgumentError("a user has neither user and password nor nkey: give one of them");
    }
    if (this.#users.has(key)) throw new InvalidArgumentError(`the user '${key}' is there twice`);
    this.#users.set(key, { options, account });
  }

  /** Call when all are added. @throws {NatsError} INVALID_ARGUMENT */
  check(): void {
    if (this.#unnamed !== undefined && !this.#users.has(this.#unnamed)) {
      throw new InvalidArgumentError(`noAuthUser is '${this.#unnamed}', who is none of the users`);
    }
    if (this.wantsNonce && this.#verify === undefined) {
      throw new InvalidArgumentError(
        "users with an nkey need verifyNkey in this runtime: give one that asks nkeys.fromPublic(nkey).verify(), with nkeys of isonats/auth",
      );
    }
  }

  /** Nobody gets in without credentials. */
  get required(): boolean {
    return this.#token !== undefined || this.#users.size > 0;
  }

  /** INFO says so: not where those without credentials are somebody. */
  get announced(): boolean {
    return this.required && this.#unnamed === undefined;
  }

  /** Somebody signs. */
  get wantsNonce(): boolean {
    for (const { options } of this.#users.values()) if (options.nkey !== undefined) return true;
    return false;
  }

  /** Who that is; undefined when it is nobody we know. */
  identify(given: ClientOptions, nonce: string | undefined): Identity | undefined {
    const { user, pass, auth_token, nkey, sig, jwt } = given;
    if (!this.required) return { user: "", account: this.#nobody, permissions: undefined, rights: undefined };
    if (this.#token !== undefined && auth_token !== "") {
      return auth_token === this.#token
        ? { user: "", account: this.#nobody, permissions: undefined, rights: undefined }
        : undefined;
    }
    const silent = user === "" && nkey === "" && auth_token === "" && jwt === "";
    const name = nkey !== "" ? nkey : silent ? (this.#unnamed ?? "") : user;
    const login = this.#users.get(name);
    if (login === undefined) return undefined;
    const { options, account } = login;
    if (options.nkey !== undefined) {
      if (nonce === undefined || !this.#isSigned(options.nkey, nonce, sig)) return undefined;
    } else if (!(silent && this.#unnamed !== undefined) && options.password !== pass) return undefined;
    const { permissions } = options;
    return {
      user: name,
      account,
      permissions: permissions && new Permissions(permissions),
      rights: permissions,
    };
  }

  // base64url without padding, or plain base64
  #isSigned(key: string, nonce: string, sig: string): boolean {
    try {
      const text = atob(sig.replaceAll("-", "+").replaceAll("_", "/"));
      const bytes = Uint8Array.from(text, (char) => char.charCodeAt(0));
      return this.#verify?.(key, utf8Encoder.encode(nonce), bytes) ?? false;
    } catch {
      return false;
    }
  }
}
