import type { Static } from 'typebox';
import type { Account as AccountSchema } from '../protocol/schema/accounts.ts';
import type { ParleyError } from './errors.ts';
import { callHttp } from './http.ts';

export type Account = Static<typeof AccountSchema>;

export interface Entrance {
  readonly token: string;
  readonly user: Account;
}

/** The HTTP calls of a server, all of them about accounts; each rejects with a {@link ParleyError}. */
export interface Accounts {
  register(account: { email: string; username: string; password: string }): Promise<Entrance>;
  login(account: ({ email: string } | { username: string }) & { password: string }): Promise<Entrance>;
  /** Resolves to a new `token` if the password changed, which ends the old one. */
  update(
    token: string,
    changes: { email?: string; username?: string; password?: string; currentPassword?: string },
  ): Promise<{ user: Account; token?: string }>;
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
