import type { Client } from 'pg';
import { BENCH_PASSWORD, tokenOf } from '../accounts.ts';
import { ask, pause } from '../load.ts';
import { RawClient } from '../RawClient.ts';
import { percentiles } from '../statistics.ts';
import type { Figures } from '../usage.ts';
import { CASE, LARGE_GROUP } from './generate.sql.ts';

/** Milliseconds between two messages. */
const INTERVAL = 5;
/** Milliseconds of messages before and after the change. */
const MARGIN = 1_000;
/** The users of the measured dialog. */
const [WRITER, READER] = [31, 32];

/** Measures messages in a dialog while groups are changed and an account is deleted. This destroys the data. */
export async function besideChanges(port: number, db: Client): Promise<ReadonlyMap<string, Figures>> {
  const { rows } = await db.query<{ id: number }>(`select id::int from chats where name = '${LARGE_GROUP}'`);
  const groupId = rows[0]?.id;
  const owner = await RawClient.open(port, tokenOf(CASE.owner));
  const member = await RawClient.open(port, tokenOf(CASE.ordinary));
  const changes: Readonly<Record<string, () => Promise<unknown>>> = {
    nothing: () => pause(MARGIN),
    'somebody leaves the large group': () => ask(member, 'leaveGroup', { groupId }),
    'the large group is deleted': () =>
      ask(owner, 'deleteGroup', { groupId }).then(() => untilZero(db, membersLeft)),
    'an account in many groups is deleted': async () => {
      const headers = { authorization: `Bearer ${tokenOf(CASE.manyGroups)}` };
      const body = JSON.stringify({ password: BENCH_PASSWORD });
      await fetch(`http://127.0.0.1:${port}/users/me`, { method: 'DELETE', headers, body });
      await untilZero(db, groupsLeft);
    },
  };
  const results = new Map<string, Figures>();
  for (const [name, change] of Object.entries(changes)) results.set(name, await beside(port, change));
  owner.close();
  member.close();
  return results;
}

const membersLeft = `
select count(*)::int as n from chat_members where chat_id = (select id from chats where name = '${LARGE_GROUP}')
`;
const groupsLeft = `
select count(*)::int as n from chat_members join chats on chats.id = chat_members.chat_id
where user_id = ${CASE.manyGroups} and kind = 'group'
`;

/** Waits until a count is 0, that is, until the cleanup after the reply is complete. */
async function untilZero(db: Client, count: string): Promise<void> {
  while ((await db.query<{ n: number }>(count)).rows[0]?.n !== 0) await pause(100);
}

/** Measures the time from the moment messages are due until their reply, and the duration of the change. */
async function beside(port: number, change: () => Promise<unknown>): Promise<Figures> {
  const writer = await RawClient.open(port, tokenOf(WRITER));
  const times: number[] = [];
  let isOver = false;
  const write = async () => {
    for (let due = performance.now(); !isOver; due += INTERVAL) {
      await pause(due - performance.now());
      await ask(writer, 'privateMessage', { receiverId: READER, content: 'Hello' });
      times.push(performance.now() - due);
      due = Math.max(due, performance.now() - INTERVAL); // a late message delays the next one, and counts once
    }
  };
  const writing = write();
  await pause(MARGIN);
  const begun = performance.now();
  await change();
  const took = performance.now() - begun;
  await pause(MARGIN);
  isOver = true;
  await writing;
  writer.close();
  const { p50, max } = percentiles(times);
  return { ms: p50, 'max ms': max, 'took ms': took };
}
