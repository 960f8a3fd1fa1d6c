import { execFileSync } from 'node:child_process';
import { cpus, release } from 'node:os';
import { cluster } from './cluster.ts';
import { expensive } from './expensive.ts';
import { finding } from './finding.ts';
import { bareDialogs, dialogs, group, idleMemory, latency, reading, storm } from './scenarios.ts';
import { register, startTarget } from './server.ts';

/* `npm run bench [-- name …]`: measures this machine, prints a table and, as the last line, JSON. See README.md. */

const wanted = process.argv.slice(2);
const runs = (name: string) => wanted.length === 0 || wanted.includes(name);
const result: Record<string, unknown> = {
  machine: { cpu: cpus()[0]?.model, cores: cpus().length, node: process.version, kernel: release() },
};

execFileSync('npm', ['run', 'build', '--silent'], { stdio: 'inherit' });
const target = await startTarget();
try {
  const people = await register(target.port, 100);
  let peak = 40_000;
  if (runs('dialogs')) {
    const row = await dialogs(target, people, 6);
    peak = row.acknowledged;
    report('dialogs, 50 senders × 16', row);
  }
  if (runs('group')) report('group of 100, 10 senders × 16', await group(target, people, 5));
  if (runs('latency')) {
    report('latency at 200/s', await latency(target, people, 200, 4));
    report(
      `latency at ${Math.round(peak / 2)}/s, half of the peak`,
      await latency(target, people, peak / 2, 5),
    );
  }
  if (runs('storm'))
    report('latency at 200/s, with 20 logins at a time', await storm(target, people, 200, 4));
  if (runs('reading')) report('reading', await reading(target, people.slice(50), 100_000));
  if (runs('idle')) {
    const bytes = await idleMemory(target, people[99] as (typeof people)[number], 5_000);
    report('idle connection', { kibibytes: bytes / 1024 });
  }
} finally {
  await target.stop();
}
if (runs('bare')) report('bare server, dialogs, 50 senders × 16', await bareDialogs(6));
if (runs('cluster'))
  for (const [name, row] of Object.entries(await cluster())) report(`cluster: ${name}`, row);
if (runs('expensive'))
  for (const [name, row] of Object.entries(await expensive())) report(`expensive commands: ${name}`, row);
if (runs('finding')) report('finding, 1,000,000 messages', await finding());
process.stdout.write(`${JSON.stringify(result)}\n`);

function report(name: string, row: object): void {
  result[name] = row;
  process.stdout.write(`${name}\n`);
  for (const [what, value] of Object.entries(row))
    process.stdout.write(`  ${what.padEnd(16)} ${typeof value === 'number' ? figure(value) : line(value)}\n`);
}

function line(values: object): string {
  return Object.entries(values)
    .map(([name, value]) => `${name} ${figure(value)}`)
    .join('   ');
}

function figure(value: number): string {
  return value >= 1000 ? Math.round(value).toLocaleString('en') : value.toFixed(2);
}
