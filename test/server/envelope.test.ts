import { expect } from 'chai';
import type { Client } from '../support/client.ts';
import { newUser, newUsers } from '../support/harness.ts';

async function answerTo(client: Client, frame: string | Buffer): Promise<object> {
  client.socket.send(frame);
  return client.next();
}

describe('the envelope', () => {
  it('echoes an id that is a string or an integer, and has no id for a request without one', async () => {
    const client = await (await newUser()).connect();
    for (const id of ['7', 'ü'.repeat(40), '', 0, 7, -7]) {
      const reply = await answerTo(client, JSON.stringify({ type: 'listLastMessage', params: {}, id }));
      expect(reply).to.include({ type: 'listLastMessage', success: true, id });
    }
    const reply = await answerTo(client, '{"type":"listLastMessage","params":{}}');
    expect(reply).to.have.all.keys('type', 'success', 'params');
    const error = await answerTo(client, '{"type":"leaveGroup","params":{}}');
    expect(error).to.have.all.keys('error', 'type', 'message', 'code');
  });

  it('answers a frame that is not a request with an error and keeps the connection open', async () => {
    const client = await (await newUser()).connect();
    const bad = (type: string, message: string) => ({ error: true, type, code: 'BAD_REQUEST', message });
    const shape = 'expected { "type": …, "params": … }';
    const expected: [string | Buffer, object][] = [
      ['', bad('unknown', `The frame is not JSON; ${shape}`)],
      ['hello', bad('unknown', `The frame is not JSON; ${shape}`)],
      ['{"type":"listLastMessage"', bad('unknown', `The frame is not JSON; ${shape}`)],
      ['null', bad('unknown', `The frame is not an object; ${shape}`)],
      ['[]', bad('unknown', `The frame is not an object; ${shape}`)],
      ['"listLastMessage"', bad('unknown', `The frame is not an object; ${shape}`)],
      ['{}', bad('unknown', 'type must be a string')],
      ['{"type":7,"id":"a"}', { ...bad('unknown', 'type must be a string'), id: 'a' }],
      ['{"type":"listLastMessage","id":{}}', bad('listLastMessage', 'id must be a string or an integer')],
      ['{"type":"listLastMessage","id":1.5}', bad('listLastMessage', 'id must be a string or an integer')],
      ['{"type":"listLastMessage","id":null}', bad('listLastMessage', 'id must be a string or an integer')],
      ['{"type":"listLastMessage","params":[]}', bad('listLastMessage', 'params must be an object')],
      ['{"type":"listLastMessage","params":null}', bad('listLastMessage', 'params must be an object')],
      ['{"type":"listLastMessage","params":"x"}', bad('listLastMessage', 'params must be an object')],
      [
        '{"type":"listLastMessage","params":{"__proto__":{"limit":1}}}',
        bad('listLastMessage', 'params.__proto__ is not known; expected only limit, page, archived'),
      ],
      [
        Buffer.from('{"type":"listLastMessage"}'),
        bad('unknown', 'The frame is binary; expected a text frame with JSON'),
      ],
    ];
    for (const [frame, answer] of expected) expect(await answerTo(client, frame)).to.deep.equal(answer);
    expect((await client.call('listLastMessage')).success).to.equal(true);
  });

  it('answers an unknown type with that type, and with the known one that may be meant', async () => {
    const client = await (await newUser()).connect();
    for (const [type, meant] of [
      ['dance'],
      [''],
      ['constructor'],
      ['__proto__'],
      ['getLatestMessageDialog', 'getlatestMessageDialog'],
      ['mark_red', 'markRead'],
    ] as const) {
      const reply = await answerTo(client, JSON.stringify({ type, id: 1 }));
      expect(reply).to.deep.equal({
        error: true,
        type,
        code: 'UNKNOWN_TYPE',
        message: `There is no command "${type}"${meant ? `; did you mean "${meant}"?` : ''}`,
        id: 1,
      });
    }
  });

  it('answers a ping', async () => {
    const client = await (await newUser()).connect();
    expect(await client.call('ping')).to.deep.include({ type: 'ping', success: true });
  });

  it('treats missing params as empty', async () => {
    const client = await (await newUser()).connect();
    expect(await answerTo(client, '{"type":"listLastMessage"}')).to.include({ success: true });
    expect(await answerTo(client, '{"type":"newGroup"}')).to.include({
      message: 'params.groupName is required',
    });
  });

  it('closes an oversized frame with 1009', async () => {
    for (const bytes of [64 * 1024 + 1, 1024 * 1024]) {
      const client = await (await newUser()).connect();
      client.socket.send('x'.repeat(bytes));
      expect(await client.closed).to.equal(1009);
    }
  });

  it('accepts the longest legal message with every character escaped', async () => {
    const [ada, bob] = await newUsers(2);
    const [a, b] = [await ada.connect(), await bob.connect()];
    const escaped = '\\ud83d\\ude00'.repeat(4000);
    a.socket.send(`{"type":"privateMessage","params":{"receiverId":${bob.id},"content":"${escaped}"}}`);
    expect((await b.push('privateMessage')).params.message).to.equal('😀'.repeat(4000));
  });

  it('refuses ids outside the range of safe integers', async () => {
    const client = await (await newUser()).connect();
    for (const id of ['9007199254740993', '1e300', '-1', '0', '1.5'])
      expect(
        await answerTo(client, `{"type":"privateMessage","params":{"receiverId":${id},"content":"x"}}`),
      ).to.include({ code: 'BAD_REQUEST' });
  });
});
