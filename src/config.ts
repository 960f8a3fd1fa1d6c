import { readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { parseEnv } from 'node:util';
import { type AuthSettings, authSettings } from './authSettings.ts';
import { problemOfDatabaseUrl } from './databaseUrl.ts';
import { type Environment, EnvironmentReader } from './EnvironmentReader.ts';
import { type Limits, readLimits, variableOf } from './limits.ts';
import { settingWarnings } from './misspeltSettings.ts';
import { createAddressOf } from './net/address.ts';
import { StartError } from './protocol/errors.ts';

/**
 * The people that users can find: everybody, those with whom they share a chat, or nobody except by the exact username.
 */
export type Directory = 'all' | 'contacts' | 'off';

/** All settings, validated once at start. */
export interface Config extends AuthSettings {
  readonly host: string;
  /** 0 means any free port. */
  readonly port: number;
  /** True if other processes of this machine may listen on the port as well. */
  readonly sharesPort: boolean;
  /** Files of the certificate and its key, if the server terminates TLS itself. */
  readonly tlsCert: string | undefined;
  readonly tlsKey: string | undefined;
  /** Unset: an embedded PostgreSQL is started in `dataDir`. */
  readonly databaseUrl: string | undefined;
  /** Connections to PostgreSQL in addition to the one that writes messages; half of them are for read commands. */
  readonly databasePoolSize: number;
  readonly dataDir: string;
  /** The first signs tokens, all are accepted. Empty: a secret is generated and stored in `dataDir`. */
  readonly jwtSecret: readonly string[];
  /** NATS servers that connect the nodes; empty for a single node. */
  readonly natsUrl: readonly string[];
  /** Files: credentials for NATS, and the certificate authorities to trust there. */
  readonly natsCreds: string | undefined;
  readonly natsCa: string | undefined;
  /** Seconds over which a stop distributes the closing of sockets. */
  readonly drainSeconds: number;
  /** Lifetime of a token in seconds. */
  readonly jwtExpiresIn: number;
  /** True if `POST /auth/register` creates accounts. */
  readonly registration: boolean;
  /** The people that users find with `searchUsers` and `listUsers`. */
  readonly directory: Directory;
  /** Days for which events about changes are kept, and their cursors are valid. */
  readonly eventDays: number;
  /** True if webhooks may be delivered to addresses of private networks, and without TLS. */
  readonly webhookPrivateNetworks: boolean;
  /** True if rates and numbers of connections are limited. */
  readonly rateLimits: boolean;
  readonly limits: Limits;
  /** Proxies whose `X-Forwarded-For` is trusted: addresses, networks, or names of ranges. */
  readonly trustProxy: readonly string[];
  readonly logLevel: string;
  /** `pretty`: lines for people; `json`: one object per line. */
  readonly logFormat: string;
  /** DSN of the service to which faults are reported, if any. */
  readonly sentryDsn: string | undefined;
  /** URL to which traces are exported, if any; the library reads the other variables of OpenTelemetry itself. */
  readonly otelExporterOtlpEndpoint: string | undefined;
  /** Name of this service in traces. */
  readonly otelServiceName: string;
  /** Origins from which browsers may make HTTP calls; `*` means any. */
  readonly corsOrigins: readonly string[];
  /** Processes that `start:cluster` starts. */
  readonly workers: number;
  /** Seconds within which each process must start. */
  readonly workerStartSeconds: number;
  /** Threads that hash passwords. */
  readonly passwordThreads: number;
  /** The work factor of bcrypt. */
  readonly passwordCost: number;
}

/** Minimum bytes of a secret. */
const MIN_SECRET = 32;

const LOG_LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'];

/**
 * Reads the configuration of this process from the environment and, for variables unset there, from the file `.env`.
 * `overrides` take precedence over both.
 */
export function loadConfig(overrides: Environment = {}): Config {
  const file = readEnvFile();
  Object.assign(process.env, { ...file, ...process.env }); // libraries read their variables there
  return readConfig({ ...process.env, ...overrides });
}

/** Returns a warning for each variable of the environment, or of the file `.env`, that looks like a misspelt setting. */
export function misspeltSettings({ limits, ...others }: Config): string[] {
  const settings = Object.keys({ ...limits, ...others }).map(variableOf);
  return settingWarnings(settings, Object.keys(process.env), Object.keys(readEnvFile()));
}

/** Reads the file `.env`; returns no variables if there is none. */
function readEnvFile(): Environment {
  try {
    return parseEnv(readFileSync('.env', 'utf8'));
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT') return {};
    throw new StartError(`.env cannot be read (${code}); expected a file of settings, or none`);
  }
}

/** Reads the configuration from environment variables; throws a {@link StartError} that names the first wrong one, its problem and the expected form. */
export function readConfig(env: Environment): Config {
  const reader = new EnvironmentReader(env);
  const jwtSecret = jwtSecrets(reader);
  return {
    host: reader.text('HOST') ?? '0.0.0.0',
    port: reader.integer('PORT', 3000, 0, 65535),
    sharesPort: reader.choice('SHARES_PORT', 'off', ['on', 'off']) === 'on',
    ...tlsFiles(reader),
    databaseUrl: databaseUrl(reader),
    databasePoolSize: reader.integer('DATABASE_POOL_SIZE', 10, 2, 1000),
    dataDir: reader.text('DATA_DIR') ?? '.data',
    jwtSecret,
    natsUrl: natsServers(reader),
    natsCreds: reader.text('NATS_CREDS'),
    natsCa: reader.text('NATS_CA'),
    drainSeconds: reader.integer('DRAIN_SECONDS', 0, 0, 3600),
    jwtExpiresIn: reader.seconds('JWT_EXPIRES_IN', '24h'),
    ...authSettings(reader, jwtSecret),
    registration: reader.choice('REGISTRATION', 'on', ['on', 'off']) === 'on',
    directory: reader.choice('DIRECTORY', 'all', ['all', 'contacts', 'off']),
    eventDays: reader.integer('EVENT_DAYS', 7, 1, 3650),
    webhookPrivateNetworks: reader.choice('WEBHOOK_PRIVATE_NETWORKS', 'off', ['on', 'off']) === 'on',
    rateLimits: reader.choice('RATE_LIMITS', 'on', ['on', 'off']) === 'on',
    limits: readLimits((...bounds) => reader.integer(...bounds)),
    trustProxy: proxies(reader),
    logLevel: reader.choice('LOG_LEVEL', 'info', LOG_LEVELS),
    logFormat: reader.choice('LOG_FORMAT', process.stdout.isTTY ? 'pretty' : 'json', ['pretty', 'json']),
    sentryDsn: reader.url('SENTRY_DSN', 'a DSN such as https://key@sentry.example.com/1'),
    otelExporterOtlpEndpoint: reader.url(
      'OTEL_EXPORTER_OTLP_ENDPOINT',
      'the URL of a collector such as http://localhost:4318',
    ),
    otelServiceName: reader.text('OTEL_SERVICE_NAME') ?? 'parley',
    corsOrigins: reader.origins('CORS_ORIGINS'),
    workers: reader.integer('WORKERS', availableParallelism(), 1, 256),
    workerStartSeconds: reader.integer('WORKER_START_SECONDS', 120, 1, 3600),
    passwordThreads: reader.integer('PASSWORD_THREADS', Math.max(1, availableParallelism() - 1), 1, 128),
    passwordCost: reader.integer('PASSWORD_COST', 10, 10, 15),
  };
}

function databaseUrl(reader: EnvironmentReader): string | undefined {
  const value = reader.text('DATABASE_URL');
  const expected =
    'a URL like postgres://user:password@host:5432/database, or postgres://user@/database?host=/directory for a socket';
  if (value === undefined) return undefined;
  // The value may contain a password, so the message never repeats it.
  const problem = problemOfDatabaseUrl(value);
  if (problem) reader.wrong('DATABASE_URL', problem, expected);
  return value;
}

function jwtSecrets(reader: EnvironmentReader): string[] {
  const value = reader.env.JWT_SECRET || undefined;
  const expected = 'a random string of at least 32 bytes';
  if (value === undefined && reader.env.NODE_ENV === 'production')
    reader.wrong('JWT_SECRET', 'is unset while NODE_ENV is production', expected);
  if (value === undefined) return [];
  if (Buffer.byteLength(value) < MIN_SECRET)
    reader.wrong('JWT_SECRET', `has ${Buffer.byteLength(value)} bytes`, expected);
  // A single secret may contain commas: the value is a list only if each part is long enough.
  const parts = value.split(',').map((part) => part.trim());
  return parts.every((part) => Buffer.byteLength(part) >= MIN_SECRET) ? parts : [value];
}

function natsServers(reader: EnvironmentReader): string[] {
  const expected = 'URLs like nats://user:password@host:4222 or tls://host:4222, separated by commas';
  const list = reader.text('NATS_URL')?.split(',') ?? [];
  // Like that of the database, the URL may contain a password.
  for (const server of list.map((entry) => entry.trim()))
    if (!URL.canParse(server) || !/^(nats|tls):$/.test(new URL(server).protocol) || !new URL(server).host)
      reader.wrong('NATS_URL', 'contains an entry that is not the URL of a NATS server', expected);
  if (list.length > 0 && !reader.text('DATABASE_URL'))
    reader.wrong('NATS_URL', 'is set without DATABASE_URL', 'a PostgreSQL that all nodes share');
  if (list.length > 0 && !reader.env.JWT_SECRET)
    reader.wrong('NATS_URL', 'is set without JWT_SECRET', 'a secret that all nodes share');
  return list.map((entry) => entry.trim());
}

function tlsFiles(reader: EnvironmentReader) {
  const [tlsCert, tlsKey] = [reader.text('TLS_CERT'), reader.text('TLS_KEY')];
  if (tlsCert && !tlsKey) reader.wrong('TLS_KEY', 'is unset', 'the file of the key for TLS_CERT');
  if (tlsKey && !tlsCert) reader.wrong('TLS_CERT', 'is unset', 'the file of the certificate for TLS_KEY');
  return { tlsCert, tlsKey };
}

function proxies(reader: EnvironmentReader): string[] {
  const list = reader.text('TRUST_PROXY')?.split(',') ?? [];
  const trusted = list.map((entry) => entry.trim());
  try {
    createAddressOf(trusted);
    return trusted;
  } catch {
    const expected =
      'addresses, networks such as 10.0.0.0/8, or loopback, linklocal, uniquelocal, separated by commas';
    return reader.wrong('TRUST_PROXY', `is "${reader.text('TRUST_PROXY')}"`, expected);
  }
}
