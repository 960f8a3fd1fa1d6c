import type { Static } from 'typebox';
import type { Account as AccountSchema } from '../protocol/schema/accounts.ts';
import { type ErrorCode, ParleyError } from './errors.ts';
import { httpUrl } from './urls.ts';

export type Account = Static<typeof AccountSchema>;

export interface Entrance {
  readonly token: string;
  readonly user: Account;
}

interface Refusal {
  readonly code?: ErrorCode;
  readonly message?: string;
}

/** The HTTP calls of a server, which are about accounts; each rejects with a {@link ParleyError}. */
export interface Accounts {
  register(account: { email: string; username: string; password: string }): Promise<Entrance>;
  login(account: ({ email: string } | { username: string }) & { password: string }): Promise<Entrance>;
  /** `token` is there when the password changed: the old one is of no use any more. */
  update(
    token: string,
    changes: { email?: string; username?: string; password?: string; currentPassword?: string },
  ): Promise<{ user: Account; token?: string }>;
  delete(token: string, password: string): Promise<void>;
}

/** The accounts of the server at `url`. */
export function accounts(url: string): Accounts {
  async function call<Answer>(method: string, path: string, body: object, token?: string): Promise<Answer> {
    const response = await fetch(httpUrl(url, path), {
      method,
      headers: {
        'content-type': 'application/json',
        ...(token !== undefined && { authorization: `Bearer ${token}` }),
      },
      body: JSON.stringify(body),
    }).catch((error) => {
      throw new ParleyError('UNAVAILABLE', `The server cannot be reached: ${error.message}`);
    });
    const answer = await response.json().catch(() => {}); // without a body, or no JSON
    if (response.ok) return answer;
    const { code = 'UNAVAILABLE', message = `The server answered ${response.status}` }: Refusal =
      answer ?? {};
    throw new ParleyError(code, message, Number(response.headers.get('retry-after')) || undefined);
  }

  return {
    register: (account) => call('POST', 'auth/register', account),
    login: (account) => call('POST', 'auth/login', account),
    update: (token, changes) => call('PATCH', 'users/me', changes, token),
    delete: (token, password) => call('DELETE', 'users/me', { password }, token),
  };
}
