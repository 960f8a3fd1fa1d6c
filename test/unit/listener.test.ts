import { execFile } from 'node:child_process';
import { expect } from 'chai';

/** Bytes of a native listen socket are at most these. */
const SOCKET_BYTES = 256;

describe('a listener', () => {
  it('can be closed while it stops, without use of memory that was freed', async () => {
    // In a process of its own: that is what a native error ends.
    const script = `
      import { setImmediate as turn } from 'node:timers/promises';
      import { createListener } from '${new URL('../../src/net/listener.ts', import.meta.url)}';

      const settings = { host: '127.0.0.1', port: 0, sharesPort: false };
      const listener = await createListener(settings);
      await listener.listen(() => {});
      const overwritten = overwriteFreed();
      const stopped = listener.stop();
      listener.close();
      await stopped;
      console.log((await overwritten).length);

      /** Fills the memory that is freed in the first of two turns, before anything else is done in the second one. */
      async function overwriteFreed() {
        for (let count = 0; count < 2; count++) await turn();
        const pattern = Buffer.from(Array.from({ length: ${SOCKET_BYTES} }, (_, at) => at));
        return Array.from(pattern, (size) => Buffer.allocUnsafeSlow(size).fill(pattern));
      }
    `;
    const outcome = await new Promise<unknown[]>((resolve) =>
      execFile(
        process.execPath,
        ['--import', 'tsx', '--input-type', 'module', '--eval', script],
        (error, stdout, stderr) => resolve([error?.signal ?? error?.code, stdout, stderr]),
      ),
    );
    expect(outcome).to.deep.equal([undefined, `${SOCKET_BYTES}\n`, '']);
  });
});
