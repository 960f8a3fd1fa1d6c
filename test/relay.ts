import { connect, createServer, type Server, type Socket } from 'node:net';

/** A TCP relay in front of a database, to take it away, slow it down, and give it back. */
export interface Relay {
  /** The database URL through the relay. */
  readonly url: string;
  /** Cuts every connection and refuses new ones. */
  cut(): Promise<void>;
  restore(): Promise<void>;
  /** Lets nothing through to the database, whose connections stay. */
  hold(): void;
  release(): void;
}

export async function startRelay(databaseUrl: string): Promise<Relay> {
  const target = new URL(databaseUrl);
  const sockets = new Set<Socket>();
  let port = 0;
  let server: Server;

  const listen = () =>
    new Promise<void>((resolve) => {
      server = createServer((client) => {
        const database = connect(Number(target.port), target.hostname);
        for (const [from, to] of [
          [client, database],
          [database, client],
        ] as const) {
          sockets.add(from);
          from.on('data', (chunk) => to.write(chunk));
          from.on('error', () => {});
          from.on('close', () => {
            sockets.delete(from);
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
  const url = new URL(databaseUrl);
  url.port = String(port);
  return {
    url: url.href,
    async cut() {
      const closed = new Promise((resolve) => server.close(resolve));
      for (const socket of sockets) socket.destroy();
      await closed;
    },
    restore: listen,
    hold() {
      for (const socket of sockets) socket.pause();
    },
    release() {
      for (const socket of sockets) socket.resume();
    },
  };
}
