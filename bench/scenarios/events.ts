import { apiKeyOf, hashOfSecret, newSecret } from '../../src/auth/apiKeys.ts';
import type { KeyId } from '../../src/ids.ts';
import { ask } from '../load.ts';
import { RawClient } from '../RawClient.ts';
import type { Kind, Target } from '../targets.ts';
import type { Figures } from '../usage.ts';
import { writeInPairs } from './writing.ts';

/** Measures people in dialogs; with `consumed`, a backend receives all messages as events meanwhile. */
export async function writeWithConsumer(target: Target, kind: Kind): Promise<Figures> {
  const consumer = kind === 'consumed' ? await consume(target) : undefined;
  const figures = await writeInPairs(target, 50, 16);
  if (!consumer) return figures;
  consumer.close();
  return { ...figures, consumed: consumer.received() };
}

const insertKey = 'insert into service_keys (name, scopes, secret_hash) values ($1, $2, $3) returning id';

/** Connects a backend, which acknowledges every batch at once. */
async function consume(target: Target) {
  const secret = newSecret();
  const bind = ['bench', ['events'], hashOfSecret(secret)];
  const { rows } = await target.database.client.query<{ id: string }>(insertKey, bind);
  const key = apiKeyOf(Number(rows[0]?.id) as KeyId, secret);
  const client = await RawClient.open(target.port(0), key);
  await ask(client, 'subscribeEvents', { consumer: 'bench' });
  let received = 0;
  let id = 0;
  client.onFrame = (buffer, start, end) => {
    const frame = buffer.toString('latin1', start, end);
    const [, cursor] = /"nextCursor":"([^"]+)"/.exec(frame) ?? [];
    if (cursor === undefined) return;
    received += frame.split('"eventId"').length - 1;
    client.send(
      JSON.stringify({ type: 'acknowledgeEvents', params: { consumer: 'bench', cursor }, id: ++id }),
    );
  };
  return { received: () => received, close: () => client.close() };
}
