import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { StartError } from '../protocol/errors.ts';

/**
 * Returns the port, or a free one where it is 0, if this process may listen there and no other does. Throws a
 * {@link StartError} with the reason otherwise: to be called before anything is started that takes long or changes data.
 */
export async function assertPort(host: string, port: number): Promise<number> {
  const probe = createServer().listen({ host, port, exclusive: true });
  await once(probe, 'listening').catch(({ code }: NodeJS.ErrnoException) => {
    throw new StartError(`Cannot listen on ${host}:${port}: ${reasonOf(code)}`);
  });
  const free = (probe.address() as AddressInfo).port;
  probe.close();
  await once(probe, 'close');
  return free;
}

function reasonOf(code = ''): string {
  switch (code) {
    case 'EADDRINUSE':
      return 'the port is in use. Set PORT to a free one, or stop what listens there.';
    case 'EACCES':
      return 'this user may not listen on the port. Set PORT to one from 1024 on, or grant CAP_NET_BIND_SERVICE.';
    case 'EADDRNOTAVAIL':
      return 'HOST is not an address of this machine. Set it to one, or to 0.0.0.0 or :: for all.';
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      return `HOST cannot be resolved (${code}). Set it to an address of this machine, or to 0.0.0.0 or :: for all.`;
    default:
      return `${code}. Set PORT or HOST.`;
  }
}
