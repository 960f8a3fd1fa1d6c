import type { Account } from './commands.ts';
import type { ParleyError } from './errors.ts';
import { callHttp } from './http.ts';

/** The result of a registration or a login. */
export interface Entrance {
  readonly token: string;
  readonly user: Account;
}

/** The HTTP calls about accounts. Each rejects with a {@link ParleyError}: `UNAVAILABLE` if the server cannot be reached. */
export interface Accounts {
  /** Creates an account and logs in. */
  register(account: { email: string; username: string; password: string }): Promise<Entrance>;
  /** Logs in with the email or the username. */
  login(account: ({ email: string } | { username: string }) & { password: string }): Promise<Entrance>;
  /**
   * Changes an account. A new email or password requires `currentPassword`. A new password revokes all tokens, and
   * resolves to a new one. Connections may end before that: let the token function of `connect` wait for it.
   */
  update(
    token: string,
    changes: { email?: string; username?: string; password?: string; currentPassword?: string },
  ): Promise<{ user: Account; token?: string }>;
  /** Deletes the account. */
  delete(token: string, password: string): Promise<void>;
}

/** Returns the account calls of the server at `url`. */
export function accounts(url: string): Accounts {
  return {
    register: (account) => callHttp(url, 'POST', 'auth/register', account),
    login: (account) => callHttp(url, 'POST', 'auth/login', account),
    update: (token, changes) => callHttp(url, 'PATCH', 'users/me', changes, token),
    delete: (token, password) => callHttp(url, 'DELETE', 'users/me', { password }, token),
  };
}
