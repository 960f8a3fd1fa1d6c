import { Socket } from 'node:net';
import { setImmediate } from 'node:timers/promises';
import { isMainThread } from 'node:worker_threads';

/*
 * Runs in the measured servers, which have --expose-gc: at a request on file descriptor 3, it collects garbage and
 * answers with the remaining bytes of the JavaScript heap.
 */

/** Number of collections: some objects are freed only by the collection after the one that found them. */
const COLLECTIONS = 4;

if (isMainThread) answer(); // worker threads load this as well, and an ending thread closes its files

function answer() {
  const pipe = new Socket({ fd: 3 });
  pipe.on('data', async () => {
    for (let n = 0; n < COLLECTIONS; n++) {
      globalThis.gc?.();
      await setImmediate();
    }
    pipe.write(`${process.memoryUsage().heapUsed}\n`);
  });
  pipe.on('error', () => {}); // the benchmark has ended
  pipe.unref();
}
