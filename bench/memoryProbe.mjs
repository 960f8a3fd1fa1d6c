import { Socket } from 'node:net';
import { setImmediate } from 'node:timers/promises';
import { isMainThread } from 'node:worker_threads';

/*
 * Loaded into the servers that are measured, which run with --expose-gc: asked over file descriptor 3, it collects the
 * garbage and answers how many bytes of JavaScript's heap are left.
 */

/** Some things are freed only by the collection after the one that found them. */
const COLLECTIONS = 4;

if (isMainThread) answer(); // worker threads load this too, and one that ends closes what it has opened

function answer() {
  const pipe = new Socket({ fd: 3 });
  pipe.on('data', async () => {
    for (let n = 0; n < COLLECTIONS; n++) {
      globalThis.gc?.();
      await setImmediate();
    }
    pipe.write(`${process.memoryUsage().heapUsed}\n`);
  });
  pipe.on('error', () => {}); // nobody is left who could ask
  pipe.unref();
}
