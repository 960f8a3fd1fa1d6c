import { expect } from 'chai';
import { registry } from '../../src/commands/registry.ts';
import { examples, messageNames } from '../../src/docs/examples.ts';
import { newClients, newGroup } from '../support/harness.ts';

const cursor = (...parts: unknown[]) => Buffer.from(JSON.stringify(parts)).toString('base64url');

/** Values that a parameter of a command might not handle. */
const STRANGE: readonly unknown[] = [
  ...[null, true, false, 0, 1, -1, 1.5, Number.MAX_SAFE_INTEGER, 2 ** 53, 1e300],
  ...[
    '',
    ' ',
    '%',
    '_',
    '\\',
    "'",
    '"',
    '((',
    ':*',
    '!',
    '\0',
    '\ud800',
    '👍',
    'é'.repeat(100),
    '@',
    'x'.repeat(5000),
  ],
  ...['0000-01-01T00:00:00Z', '9999-12-31T23:59:60Z', '2026-01-01T00:00:00+23:59', '2026-13-01T00:00:00Z'],
  ...[
    cursor(),
    cursor(1),
    cursor(-1),
    cursor('1'),
    cursor(1e300),
    cursor(1, 1),
    cursor(0.5, 1),
    cursor(null, null),
  ],
  ...[
    cursor('1', '1:1:', null, 0, 0, 0),
    cursor('1', '2:1:', null, 0, 0, 0),
    cursor('1', '0:0:', null, 0, 0, 0),
  ],
  ...[
    [],
    [1, 1, 1],
    ['1'],
    [Number.MAX_SAFE_INTEGER],
    {},
    { a: { b: [1, null] } },
    { __proto__: 1 },
    { toString: 1 },
  ],
];

describe('invalid params', () => {
  before(() => newClients(1)); // has session 1, so that it is not the session of the caller

  for (const { type, params } of registry.values())
    it(`never cause an internal error: ${type}`, async () => {
      const [ada, bob] = await newClients(2);
      const groupId = await newGroup(ada.client, bob);
      await ada.client.done('privateMessage', { receiverId: bob.id, content: 'hello' });
      const [example] = examples.frames[messageNames(type).request] as [{ params?: Record<string, unknown> }];
      const ids = {
        ...(example.params?.groupId !== undefined && { groupId }),
        ...(example.params?.receiverId !== undefined && { receiverId: bob.id }),
      };
      for (const name of Object.keys(params.properties))
        for (const value of STRANGE) {
          const values = { ...example.params, ...ids, [name]: value };
          const answer = await ada.client.call(type, values);
          expect(answer.code, JSON.stringify({ type, values })).not.to.equal('INTERNAL');
          if (answer.code === 'BAD_REQUEST') expect(answer.message).to.match(/^params/);
        }
      await ada.client.done('listSessions'); // still connected
    });

  it('are refused with as many levels of nesting as a frame can have', async () => {
    const [ada] = await newClients(1);
    for (const levels of [3_000, 30_000]) {
      const custom = `{"a":${'['.repeat(levels)}${']'.repeat(levels)}}`;
      ada.client.socket.send(`{"type":"updateProfile","id":"deep","params":{"custom":${custom}}}`);
      expect(await ada.client.reply('deep')).to.include({ code: 'BAD_REQUEST' });
    }
  });

  it('are refused with a time that does not exist, by every command with a time', async () => {
    const [ada, bob] = await newClients(2);
    await ada.client.done('privateMessage', { receiverId: bob.id, content: 'hello' });
    for (const time of ['2026-02-30T12:00:00Z', '2016-12-31T23:59:60Z', '2026-01-01T00:00:00+99:00'])
      for (const [type, name, params] of [
        ['muteChat', 'until', { receiverId: bob.id, muted: true }],
        ['searchMessages', 'from', { query: 'hello' }],
        ['searchMessages', 'to', { query: 'hello' }],
      ] as const) {
        const answer = await ada.client.call(type, { ...params, [name]: time });
        expect(answer.code, `${type} ${name} ${time}`).to.equal('BAD_REQUEST');
        expect(answer.message).to.match(new RegExp(`^params.${name} must be a time that exists`));
      }
  });

  it('are refused with a time whose year is 10000 in UTC', async () => {
    const [ada, bob] = await newClients(2);
    const mute = (until: string) => ada.client.call('muteChat', { receiverId: bob.id, muted: true, until });
    await ada.client.done('privateMessage', { receiverId: bob.id, content: 'hello' });
    expect(await mute('9999-12-31T23:59:59-00:01')).to.include({ code: 'BAD_REQUEST' });
    expect(await mute('9999-12-31T23:59:59.999Z')).to.include({ success: true });
  });
});
