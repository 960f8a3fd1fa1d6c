import { connect, createServer, type Server, type Socket } from 'node:net';

/** A TCP relay in front of a database or a server, which can cut it off, slow it down, and restore it. */
export interface Relay {
  /** The URL through the relay. */
  readonly url: string;
  /** Cuts every connection and refuses new ones. */
  cut(): Promise<void>;
  restore(): Promise<void>;
  /** Cuts every connection once this many more bytes have come back; new ones are accepted. */
  cutAfter(bytes: number): void;
  /** Passes nothing in either direction; the connections stay open, and so do new ones. */
  hold(): void;
  release(): void;
  /** Drops everything that comes back over the existing connections; requests still arrive. */
  mute(): void;
  /** Cuts every connection; new ones are accepted. */
  drop(): void;
  /**
   * Passes the next request that contains this text, and cuts its connection when the answer comes back, which
   * is lost; resolves then.
   */
  loseAnswerTo(text: string): Promise<void>;
}

/**
 * With a `rate`, a number of bytes per second comes back over each connection; with a `pause`, only every so many
 * milliseconds, all in one chunk.
 */
export async function startRelay(
  targetUrl: string,
  { rate = Number.POSITIVE_INFINITY, pause = 0 }: { rate?: number; pause?: number } = {},
): Promise<Relay> {
  const target = new URL(targetUrl);
  const sockets = new Set<Socket>();
  const mutes = new Set<Socket>();
  let port = 0;
  let server: Server;
  let held = false;
  let bytesLeft = Number.POSITIVE_INFINITY;
  let awaited: { text: string; lost: () => void } | undefined;

  const drop = () => {
    for (const socket of sockets) socket.destroy();
  };

  /** Returns the part of a chunk that still comes back. */
  const returned = (chunk: Buffer): Buffer => {
    const part = chunk.subarray(0, bytesLeft);
    bytesLeft -= part.length;
    return part;
  };

  const listen = () =>
    new Promise<void>((resolve) => {
      server = createServer((client) => {
        const database = connect(Number(target.port), target.hostname);
        let lose: (() => void) | undefined;
        for (const [from, to] of [
          [client, database],
          [database, client],
        ] as const) {
          sockets.add(from);
          if (held) from.pause();
          from.on('data', (chunk) => {
            if (from === client) {
              if (awaited && chunk.includes(awaited.text)) {
                lose = awaited.lost;
                awaited = undefined;
              }
              return to.write(chunk);
            }
            if (mutes.has(from)) return;
            if (lose) {
              for (const socket of [client, database]) socket.destroy();
              return lose();
            }
            to.write(returned(chunk));
            // The next chunk is read when this one would have passed the line.
            const wait = (chunk.length / rate) * 1000 + pause;
            if (wait > 0) {
              from.pause();
              setTimeout(() => {
                if (!held) from.resume();
              }, wait);
            }
            if (bytesLeft > 0) return;
            bytesLeft = Number.POSITIVE_INFINITY;
            // Written data is sent before the end.
            for (const socket of sockets) socket.end();
            setTimeout(drop, 5);
          });
          from.on('error', () => {});
          from.on('close', () => {
            sockets.delete(from);
            mutes.delete(from);
            to.destroy();
          });
        }
      }).listen(port, '127.0.0.1', () => {
        const address = server.address();
        if (address && typeof address === 'object') port = address.port;
        resolve();
      });
    });

  await listen();
  const url = new URL(targetUrl);
  url.port = String(port);
  return {
    url: url.href,
    async cut() {
      const closed = new Promise((resolve) => server.close(resolve));
      drop();
      await closed;
    },
    restore: listen,
    drop,
    loseAnswerTo: (text) =>
      new Promise((resolve) => {
        awaited = { text, lost: resolve };
      }),
    cutAfter(bytes) {
      bytesLeft = bytes;
    },
    mute() {
      for (const socket of sockets) mutes.add(socket);
    },
    hold() {
      held = true;
      for (const socket of sockets) socket.pause();
    },
    release() {
      held = false;
      for (const socket of sockets) socket.resume();
    },
  };
}
