import { randomInt } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { setImmediate as turn } from 'node:timers/promises';
import { hashSync } from 'bcryptjs';
import { pino } from 'pino';
import type { Scope } from '../../src/auth/apiKeys.ts';
import { createKey } from '../../src/auth/serviceKeys.ts';
import { createTokens } from '../../src/auth/tokens.ts';
import {
  type ClientOptions,
  connect as connectTyped,
  type Client as TypedClient,
} from '../../src/client/node.ts';
import {
  connectService as connectTypedService,
  type Service,
  type ServiceOptions,
} from '../../src/client/service/index.ts';
import { readConfig } from '../../src/config.ts';
import { type Database, openDatabase } from '../../src/database/database.ts';
import type { ChatId, KeyId, UserId } from '../../src/ids.ts';
import { createLog } from '../../src/observability/log.ts';
import { createCursorSigner } from '../../src/protocol/cursor.ts';
import { type Server, startServer as start } from '../../src/server.ts';
import { foldedUser } from '../../src/text/foldedColumns.ts';
import { type Client, connect } from './client.ts';
import { assertDescribedAnswer, assertDescribedFrames } from './conformance.ts';
import { delayAnswers } from './databaseDelays.ts';
import { assertNothingReplaced, watchLeftovers } from './leftovers.ts';
import { createDatabase, temporaryFolder } from './run.ts';

export { mochaGlobalSetup, mochaGlobalTeardown, temporaryFolder } from './run.ts';

/*
 * The base of all tests: each file has a database and a server on it; tests start more servers, with settings of their
 * own, where they need them.
 */

const { DATABASE_DELAY } = process.env;
if (DATABASE_DELAY !== undefined) delayAnswers(Number(DATABASE_DELAY));

let assertNothingLeft: () => Promise<void>;
let url: string;
let folder: string;

/** The server that the tests of a file share, and its database. */
export let server: RunningServer;
export let database: Database;

export interface RunningServer extends Server {
  /** `http://127.0.0.1:port` */
  readonly url: string;
  /** Stops as in production: a node without NATS stays registered, so that others find it dead seconds later. */
  stop(): Promise<void>;
}

/** Starts another server on the database of the file; the caller closes it. */
export async function startServer(env: Record<string, string> = {}): Promise<RunningServer> {
  const config = readConfig({
    HOST: '127.0.0.1',
    PORT: '0',
    DATABASE_URL: url,
    DATABASE_POOL_SIZE: '4', // each connection costs more than most tests
    DATA_DIR: folder,
    JWT_SECRET,
    RATE_LIMITS: 'off',
    WEBHOOK_PRIVATE_NETWORKS: 'on', // the receivers of the tests are on this machine
    ...env,
  });
  const running = await start(config, log);
  return {
    ...running,
    url: `http://127.0.0.1:${running.port}`,
    stop: running.close,
    async close() {
      await running.close();
      // Otherwise a later test may be the one in which it is found dead.
      await database.execute('delete from nodes where id = $1', [running.nodeId]);
    },
  };
}

/** Values that must never be logged: tokens, passwords and their hashes, the secret of tokens, message contents. */
const SECRET =
  /eyJ[\w-]+\.eyJ|correct horse|\$2[aby]\$|a secret of the tests|pk_\d+_[\w-]{43}|whsec_|Hello, Bob|䷀/;
const leaks: string[] = [];

/** Checks all log lines of the servers of a run, of every level; LOG_LEVEL prints them. */
const watcher = {
  write(line: string): void {
    if (SECRET.test(line)) leaks.push(line);
  },
};
const log = createLog({
  level: 'trace',
  stream: pino.multistream([
    { level: 'trace', stream: watcher },
    { level: (process.env.LOG_LEVEL ?? 'fatal') as pino.Level, stream: process.stdout },
  ]),
});

/** The URL of the shared database. */
export const databaseUrl = (): string => url;

/** The secret with which the servers of the tests sign tokens. */
export const JWT_SECRET = 'a secret of the tests, thirty-two bytes or more';

/** Returns the cursor for a position that a server of the tests returns to a command of a user. */
export const signedCursor = (command: string, { id }: Pick<User, 'id'>, position: unknown): string =>
  createCursorSigner([JWT_SECRET])(command, id).encode(position);

/** Returns the position in a cursor, after its signature. */
// biome-ignore lint/suspicious/noExplicitAny: tests read fields of any answer
export const positionIn = (cursor: string): any =>
  JSON.parse(Buffer.from(cursor, 'base64url').subarray(16).toString());

export const mochaHooks = {
  async beforeAll(this: Mocha.Context) {
    this.timeout(60_000);
    await turn(); // mocha starts the timer of a hook once it has returned a promise
    if (!isUnitTest(this)) url = await createDatabase();
    assertNothingLeft = watchLeftovers();
    if (isUnitTest(this)) return;
    folder = await temporaryFolder();
    database = openDatabase(url, 4);
    server = await startServer();
  },
  async afterEach() {
    await Promise.all(open.splice(0).map((client) => client.close()));
    assertDescribedFrames();
  },
  async afterAll(this: Mocha.Context) {
    if (!isUnitTest(this)) {
      await server.close();
      await database.close();
    }
    assertNothingReplaced();
    await assertNothingLeft();
    if (leaks.length > 0) throw new Error(`secrets in the log: ${leaks.join('')}`);
  },
};

/** Returns whether only files of test/unit are run by this process: they have neither a server nor a database. */
const isUnitTest = (hook: Mocha.Context): boolean =>
  hook.runnable().parent?.suites.every(({ file }) => file?.includes('/test/unit/')) ?? false;

/**
 * Returns an unused port that stays free for a server that is stopped and started again: connections of others never
 * leave from it, because Linux assigns them ports from 32768 on.
 */
export async function freePort(): Promise<number> {
  const port = randomInt(10_000, 32_768);
  const probe = createServer().listen(port, '127.0.0.1');
  try {
    await once(probe, 'listening');
    return port;
  } catch {
    return freePort();
  } finally {
    probe.close();
  }
}

export interface Reply {
  readonly status: number;
  readonly headers: Headers;
  // biome-ignore lint/suspicious/noExplicitAny: tests read fields of any answer
  readonly body: any;
}

/** Makes an HTTP call with a JSON body. */
export async function http(
  method: string,
  path: string,
  {
    body,
    token,
    url = server.url,
    headers = {},
  }: { body?: unknown; token?: string; url?: string; headers?: Record<string, string> } = {},
): Promise<Reply> {
  const response = await fetch(url + path, {
    method,
    redirect: 'manual',
    headers: { ...headers, ...(token !== undefined && { authorization: `Bearer ${token}` }) },
    ...(body !== undefined && { body: typeof body === 'string' ? body : JSON.stringify(body) }),
  });
  const text = await response.text();
  const isJson = response.headers.get('content-type')?.startsWith('application/json');
  const reply = {
    status: response.status,
    headers: response.headers,
    body: isJson && text ? JSON.parse(text) : text,
  };
  assertDescribedAnswer(method, path, reply);
  return reply;
}

/** Returns the value of a metric of a server by its name and labels; 0 if there is none yet. */
export async function metric({ url }: Pick<RunningServer, 'url'>, name: string): Promise<number> {
  const { body } = await http('GET', '/metrics', { url });
  const line = String(body)
    .split('\n')
    .find((text) => text.startsWith(`${name} `));
  return Number(line?.slice(name.length) ?? 0);
}

/** An account, with functions to act as its user. */
export interface User {
  readonly id: UserId;
  readonly username: string;
  readonly email: string;
  readonly password: string;
  readonly token: string;
  /** Opens a connection, closed again after the test. */
  connect(url?: string): Promise<Client>;
}

const PASSWORD = 'correct horse battery';
const PASSWORD_HASH = hashSync(PASSWORD, 10);
const tokens = createTokens([JWT_SECRET], 86_400, Date);
let users = 0;

/**
 * Creates a user without chats, directly in the shared database, because hashing passwords would take most of the
 * run; registers the user over HTTP if `url` names another server.
 */
export async function newUser(url = server.url): Promise<User> {
  const names = newNames();
  const account = url === server.url ? (await insertUsers([names]))[0] : await register(names, url);
  return userOf(names, account as Account, url);
}

/** Creates as many users as the result type has, in the order of their ids and of their usernames. */
export async function newUsers<const Count extends number>(count: Count): Promise<TupleOf<Count>> {
  const names = Array.from({ length: count }, newNames);
  const accounts = await insertUsers(names);
  return names.map((user, n) => userOf(user, accounts[n] as Account, server.url)) as TupleOf<Count>;
}

type Names = Pick<User, 'username' | 'email'>;
type Account = Pick<User, 'id' | 'token'>;

/** Returns the names of the next user, in alphabetical order and without digits, which a test may search for. */
function newNames(): Names {
  const digits = String(++users).padStart(5, '0');
  const username = `user-${digits.replaceAll(/\d/g, (digit) => 'abcdefghij'.charAt(Number(digit)))}`;
  return { username, email: `${username}@example.com` };
}

const userOf = (names: Names, { id, token }: Account, url: string): User => ({
  ...{ id, ...names, password: PASSWORD, token, connect: (at = url) => connectAs(token, at) },
});

/** Inserts users with one statement: their ids, and the events of their creation, are in this order. */
async function insertUsers(all: readonly Names[]): Promise<Account[]> {
  const accounts = all.map((names) => ({ ...names, ...foldedUser(names), passwordHash: PASSWORD_HASH }));
  const created = await database.users.bulkCreate(accounts, { returning: true });
  return created.map(({ id, tokenVersion, othersEndedAt }) => ({
    id,
    token: tokens.issue({ id, tokenVersion, othersEndedAt }),
  }));
}

async function register(names: Names, url: string): Promise<Account> {
  const { body, status } = await http('POST', '/auth/register', {
    body: { ...names, password: PASSWORD },
    url,
  });
  if (status !== 201) throw new Error(`registration answered ${status}: ${JSON.stringify(body)}`);
  return { id: body.user.id, token: body.token };
}

type TupleOf<Count extends number, Tuple extends Item[] = [], Item = User> = number extends Count
  ? Item[]
  : Tuple['length'] extends Count
    ? Tuple
    : TupleOf<Count, [...Tuple, Item], Item>;

const open: { close(): unknown }[] = [];

/** Opens a typed client of a user, closed again after the test. */
export function typedClient(user: Pick<User, 'token'>, options: Partial<ClientOptions> = {}): TypedClient {
  const client = connectTyped({ url: server.url, token: user.token, ...options });
  open.push(client);
  return client;
}

/** Opens a typed service connection with a key, closed again after the test. */
export function typedService(key: ServiceOptions['key'], url = server.url): Service {
  const service = connectTypedService({ url, key });
  open.push(service);
  return service;
}

/** Opens a connection with a token, closed again after the test. */
export async function connectAs(token: string, url = server.url): Promise<Client> {
  const client = await connect(url, token);
  open.push(client);
  return client;
}

/** Creates an API key. */
export const newKey = async (...scopes: Scope[]): Promise<{ readonly id: KeyId; readonly key: string }> =>
  createKey(database, 'a key of the tests', scopes);

/** Opens a service connection with a new key, closed again after the test. */
export async function connectService(...scopes: Scope[]): Promise<Client> {
  return connectAs((await newKey(...scopes)).key);
}

/** Creates users, each with a connection of their own. */
export async function newClients<const Count extends number>(
  count: Count,
): Promise<TupleOf<Count, [], Person>> {
  const people = await newUsers(count as number);
  return Promise.all(people.map(async (user) => ({ ...user, client: await user.connect() }))) as Promise<
    TupleOf<Count, [], Person>
  >;
}

export interface Person extends User {
  readonly client: Client;
}

/** Creates a group with these members, the first of which is its owner. */
export async function newGroup(owner: Client, ...others: User[]): Promise<ChatId> {
  const { groupId } = (await owner.call('newGroup', { groupName: 'Climbers' })).params;
  for (const { id } of others) await owner.call('addUserInGroup', { groupId, userId: id });
  return groupId;
}
