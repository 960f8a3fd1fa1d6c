import { readFile } from 'node:fs/promises';
import type { Limits } from '../limits.ts';

/** Files that a server has open beside its connections: of the program, the log, the database, NATS. */
const OTHERS = 100;

/**
 * Returns a warning for the operator when this process may open fewer files than the configuration allows connections;
 * undefined otherwise, and where the limit is not known. Node has raised the soft limit to the hard one.
 */
export async function openFilesWarning({
  connectionsPerAddress,
  connectionsPerUser,
}: Limits): Promise<string | undefined> {
  const table = await readFile('/proc/self/limits', 'utf8').catch(() => '');
  const limit = Number(/^Max open files +(\d+)/m.exec(table)?.[1] ?? Number.POSITIVE_INFINITY);
  const [variable, connections] =
    connectionsPerUser > connectionsPerAddress
      ? ['CONNECTIONS_PER_USER', connectionsPerUser]
      : ['CONNECTIONS_PER_ADDRESS', connectionsPerAddress];
  if (limit >= connections + OTHERS) return undefined;
  return `this process may open ${limit} files, too few for ${variable}=${connections}: raise the limit (ulimit -n, LimitNOFILE in systemd, ulimits in compose) or lower ${variable}`;
}
