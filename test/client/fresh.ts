import { isDeepStrictEqual } from 'node:util';
import { expect } from 'chai';
import type { ChatAddress, Client } from '../../src/client/index.ts';
import { typedClient, type User } from '../support/harness.ts';
import { until } from '../support/until.ts';
import { when } from './network.ts';

/** Returns the chats of a client, and the newest messages of some of them. */
function shown(client: Client, addresses: readonly ChatAddress[], firsts: readonly number[]) {
  return {
    self: client.self,
    chats: client.chats.value,
    messages: addresses.map((address, index) =>
      client
        .chat(address)
        .messages.value.filter(({ seq }) => seq >= (firsts[index] ?? 0))
        .map(({ key: _, ...message }) => message),
    ),
  };
}

/**
 * Checks that a client of a user reaches the state of a fresh one, field by field: all its chats, and the messages
 * of the named ones. Their last messages have arrived already.
 */
export async function expectFresh(
  user: Pick<User, 'token'>,
  client: Client,
  ...addresses: readonly ChatAddress[]
): Promise<void> {
  const fresh = typedClient(user);
  await fresh.chats.loaded;
  const firsts: number[] = [];
  for (const address of addresses) {
    const { messages, summary } = fresh.chat(address);
    const last = summary.value?.lastMessage.seq ?? 0;
    await when(messages, (all) => (all.at(-1)?.seq ?? 0) >= last);
    firsts.push(messages.value[0]?.seq ?? 0);
  }
  const [now, right] = [() => shown(client, addresses, firsts), () => shown(fresh, addresses, firsts)];
  await until(() => isDeepStrictEqual(now(), right()), 5_000).catch(() => {});
  expect(now()).to.deep.equal(right());
  fresh.close();
}
