import type { TemplatedApp, us_listen_socket } from 'uWebSockets.js';
import { setImmediate } from 'node:timers/promises';
import type { Logger } from 'pino';
import { StartError } from '../protocol/errors.ts';
import { assertPort } from './port.ts';
import { type CertificateFiles, readCertificate, watchCertificate } from './tls.ts';
import { uWS } from './uws.ts';

/** The native publish of the server, to all sockets of a topic. */
export type PublishToTopic = (topic: string, frame: Buffer) => void;

/** The part of the configuration that a listener reads. */
export interface ListenerSettings {
  readonly host: string;
  /** 0 takes any free port. */
  readonly port: number;
  /** Other processes of this machine may listen there, too. */
  readonly sharesPort: boolean;
  /** Files of the certificate and its key, for TLS. */
  readonly tlsCert: string | undefined;
  readonly tlsKey: string | undefined;
}

/** The port, and the apps of the socket library behind it: one, and another for each later certificate. */
export interface Listener {
  readonly port: number;
  /** True if all sockets are of one app: only within an app can a socket exclude itself from what it publishes. */
  readonly isSingle: boolean;
  readonly publish: PublishToTopic;
  /** Time at which the certificate expires, where there is one. */
  readonly certificateUntil: Date | undefined;
  /** Serves the routes that `mount` adds to an app. Rejects with a {@link StartError} when the port is not available. */
  listen(mount: (app: TemplatedApp) => void): Promise<void>;
  /** Other processes listen on the port as well: they get the connections that this one does not accept. */
  readonly isShared: boolean;
  /** Stops accepting connections, once those are accepted that the system has queued. */
  stop(): Promise<void>;
  /** Closes all connections, and the port if it was not stopped. */
  close(): void;
}

/**
 * Creates the listener, with TLS where the configuration names a certificate; a new one in its place is used for
 * connections from then on. Rejects with a {@link StartError} when the certificate is not valid or the port not available:
 * before anything else is started.
 */
export async function createListener(settings: ListenerSettings, log: Logger): Promise<Listener> {
  const { host, port, sharesPort, tlsCert, tlsKey } = settings;
  const files = tlsCert !== undefined && tlsKey !== undefined ? { cert: tlsCert, key: tlsKey } : undefined;
  let certificate = files && (await readCertificate(files));
  const apps: TemplatedApp[] = [];
  let socket: ListenSocket | undefined;
  if (!sharesPort) await assertPort(host, port);
  let boundPort = port;
  let watch: { close(): void } | undefined;

  return {
    get port() {
      return boundPort;
    },
    get isSingle() {
      return apps.length === 1;
    },
    get certificateUntil() {
      return certificate?.until;
    },
    isShared: sharesPort,
    publish(topic, frame) {
      for (const app of apps) app.publish(topic, frame);
    },
    async listen(mount) {
      if (files && !sharesPort) await serveOnCheckedPort(mount);
      else await serve(mount);
      if (socket) boundPort = socket.port;
      if (!files) return;
      watch = watchCertificate(
        files,
        () => certificate,
        log,
        async (renewed) => {
          await serve(mount);
          certificate = renewed;
          log.info({ until: renewed.until }, 'certificate renewed');
        },
      );
    },
    async stop() {
      watch?.close();
      // The library looks for connections between two of these: the system resets those in the queue.
      for (let turn = 0; turn < 2; turn++) await setImmediate();
      socket?.close();
    },
    close() {
      watch?.close();
      socket?.close();
      for (const app of apps) app.close();
    },
  };

  /**
   * Serves on a port that was checked just before: one that is shared with the apps of later certificates would be
   * shared with other servers, too, without an error, and the library never shares one that the system chooses.
   */
  async function serveOnCheckedPort(mount: (app: TemplatedApp) => void): Promise<void> {
    for (let attempt = 1; ; attempt++) {
      boundPort = await assertPort(host, port);
      try {
        return await serve(mount);
      } catch (error) {
        // Another process may have taken a free port in between.
        if (port !== 0 || attempt === PORT_ATTEMPTS) throw error;
      }
    }
  }

  async function serve(mount: (app: TemplatedApp) => void): Promise<void> {
    const app = newApp(files);
    mount(app);
    const before = socket;
    socket = await bind(app, host, boundPort, files || sharesPort ? SHARED : EXCLUSIVE);
    before?.close();
    apps.push(app);
  }
}

const PORT_ATTEMPTS = 5;

/** The library reads the files itself, once: sockets of an app keep the certificate it began with. */
function newApp(files: CertificateFiles | undefined): TemplatedApp {
  if (!files) return uWS.App();
  return uWS.SSLApp({
    cert_file_name: files.cert,
    key_file_name: files.key,
    ssl_prefer_low_memory_usage: true,
  });
}

/** `LIBUS_LISTEN_DEFAULT` and `LIBUS_LISTEN_EXCLUSIVE_PORT` of the library: with SO_REUSEPORT, and without. */
const SHARED = 0;
const EXCLUSIVE = 1;

/** A native listen socket. It must be closed before its app is, which closes it, too. */
interface ListenSocket {
  readonly port: number;
  close(): void;
}

function bind(app: TemplatedApp, host: string, port: number, options: number): Promise<ListenSocket> {
  const message = `Cannot listen on ${host}:${port}: the port is in use or the address is not this machine's. Set PORT or HOST.`;
  return new Promise((resolve, reject) => {
    // By default, two servers would share the port without an error.
    listenWith(app, host, port, options, (bound) =>
      bound ? resolve(listenSocket(bound)) : reject(new StartError(message)),
    );
  });
}

function listenSocket(bound: us_listen_socket): ListenSocket {
  let isOpen = true;
  return {
    port: uWS.us_socket_local_port(bound),
    close() {
      // The library frees a socket that is closed, and does not know it when it is closed again.
      if (isOpen) uWS.us_listen_socket_close(bound);
      isOpen = false;
    },
  };
}

type Listen = (
  host: string,
  port: number,
  options: number,
  callback: (socket: us_listen_socket | false) => void,
) => void;

/** The library takes host and options together, though its types know only one of them at a time. */
function listenWith(app: TemplatedApp, ...parameters: Parameters<Listen>): void {
  (app.listen as unknown as Listen).call(app, ...parameters);
}
