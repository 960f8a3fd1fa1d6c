import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { expect } from 'chai';
import { commandsIn, section } from '../support/documents.ts';
import { startServer } from '../support/harness.ts';

describe('docs/protocol.md', () => {
  it('has a first conversation that works as pasted', async () => {
    const open = await startServer({ HOST: '0.0.0.0' });
    const names = { Ada: `Ada${process.pid}`, Bob: `Bob${process.pid}` };
    const script = commandsIn(await section('docs/protocol.md', 'A first conversation'))
      .replaceAll('localhost:3000', `localhost:${open.port}`)
      .replaceAll(/(sleep|-w) (\d)/g, (_, command, seconds) => `${command} ${3 * seconds}`) // for a busy machine
      .replaceAll(/"(ada|bob)@/g, `"$1${process.pid}@`)
      .replaceAll(/"username":"(Ada|Bob)"/g, (_, name: 'Ada' | 'Bob') => `"username":"${names[name]}"`);

    const { stdout } = await promisify(execFile)('bash', ['-c', script]);

    await open.close();
    expect(stdout).to.match(/"type":"privateMessage","success":true,.*"seq":1,.*"id":1/);
    expect(stdout).to.include(`"message":"Hi Bob","senderName":"${names.Ada}"`);
  });
});
