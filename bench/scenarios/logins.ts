import { BENCH_PASSWORD, nameOf } from '../accounts.ts';
import { pause } from '../load.ts';
import { percentiles, prefixed } from '../statistics.ts';
import type { Target } from '../targets.ts';
import type { Figures } from '../usage.ts';
import { writeAtRate } from './writing.ts';

const RATE = 200;
const SECONDS = 5;
const LOGINS_PER_SECOND = 20;
/** Concurrent logins in a storm. */
const LOGINS_AT_ONCE = 20;

/** Measures messages at 200/s without logins, and with 20 logins due every second (open loop). */
export async function steadyLogins(target: Target): Promise<Figures> {
  const quiet = await writeAtRate(target, RATE, SECONDS);
  const logins: Promise<number>[] = [];
  const timer = setInterval(() => logins.push(login(target, logins.length)), 1000 / LOGINS_PER_SECOND);
  const busy = await writeAtRate(target, RATE, SECONDS).finally(() => clearInterval(timer));
  const times = await Promise.all(logins);
  return {
    ...without('quiet', quiet),
    ...without('busy', busy),
    'push p99 times': (busy['push p99'] as number) / (quiet['push p99'] as number),
    ...prefixed('login', percentiles(times)),
  };
}

/** Measures messages at 200/s with 20 logins in progress at any time (closed loop), and the rate of answered logins. */
export async function loginStorm(target: Target): Promise<Figures> {
  let isOver = false;
  let logins = 0;
  const start = performance.now();
  const storming = Array.from({ length: LOGINS_AT_ONCE }, async (_, n) => {
    for (; !isOver; logins++) await login(target, n);
  });
  const result = await writeAtRate(target, RATE, SECONDS).finally(() => {
    isOver = true;
  });
  const perSecond = (logins * 1000) / (performance.now() - start);
  await Promise.all(storming);
  await pause(200);
  return { ...result, 'logins/s': perSecond };
}

/** Logs in to one of the accounts; resolves to the milliseconds it took. */
async function login(target: Target, n: number): Promise<number> {
  const start = performance.now();
  const body = JSON.stringify({ username: nameOf(n % target.people.length), password: BENCH_PASSWORD });
  const answer = await fetch(`http://127.0.0.1:${target.port(0)}/auth/login`, { method: 'POST', body });
  await answer.arrayBuffer();
  if (answer.status !== 200) throw new Error(`a login was answered ${answer.status}`);
  return performance.now() - start;
}

/** Returns only the latencies, because the costs of messages and logins cannot be separated. */
const without = (prefix: string, figures: Figures): Figures =>
  prefixed(
    prefix,
    Object.fromEntries(Object.entries(figures).filter(([name]) => /^(reply|push) /.test(name))),
  );
