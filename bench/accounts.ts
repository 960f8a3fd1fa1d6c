import { randomUUID } from 'node:crypto';
import jwt from 'jsonwebtoken';
import type { Client } from 'pg';

export interface Account {
  readonly id: number;
  readonly token: string;
}

export const BENCH_PASSWORD = 'of the benchmarks';
export const BENCH_SECRET = 'a secret of the benchmarks, long enough';

/** Returns the name of the account with a number. */
export const nameOf = (n: number): string => `bench${n}`;

/** Copies the only account with other names. */
const copyAccount = `
insert into users overriding system value
select copy.*
from users original
cross join generate_series(1, $1::int) n
cross join lateral jsonb_populate_record(original, jsonb_build_object(
  'id', nextval(pg_get_serial_sequence('users', 'id')),
  'email', 'bench' || n || '@example.com', 'email_folded', 'bench' || n || '@example.com',
  'username', 'bench' || n, 'username_folded', 'bench' || n, 'username_search', 'bench' || n
)) copy
returning id`;

/**
 * Creates `count` accounts on a fresh server with the secret {@link BENCH_SECRET}: registers one and copies its row and
 * token, because hashing a password for each takes longer than most scenarios.
 */
export async function makeAccounts(port: number, database: Client, count: number): Promise<Account[]> {
  const body = JSON.stringify({
    email: `${nameOf(0)}@example.com`,
    username: nameOf(0),
    password: BENCH_PASSWORD,
  });
  const answer = await fetch(`http://127.0.0.1:${port}/auth/register`, { method: 'POST', body });
  if (!answer.ok) throw new Error(`registration failed with ${answer.status}: ${await answer.text()}`);
  const { token, user } = (await answer.json()) as { token: string; user: { id: number } };
  const { rows } = await database.query<{ id: string }>(copyAccount, [count - 1]);
  const claims = jwt.verify(token, BENCH_SECRET) as jwt.JwtPayload;
  const copies = rows.map(({ id }) => ({
    id: Number(id),
    token: jwt.sign({ ...claims, sub: id, jti: randomUUID() }, BENCH_SECRET, { algorithm: 'HS256' }),
  }));
  return [{ id: user.id, token }, ...copies];
}

/** Returns a token for a generated user. */
export const tokenOf = (id: number): string =>
  jwt.sign({ ver: 1, since: 0 }, BENCH_SECRET, {
    algorithm: 'HS256',
    subject: String(id),
    jwtid: randomUUID(),
    expiresIn: '1d',
  });
