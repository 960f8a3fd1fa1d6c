import { readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { parseEnv } from 'node:util';
import ms from 'ms';
import { problemOfDatabaseUrl } from './databaseUrl.ts';
import { type Limits, readLimits, variableOf } from './limits.ts';
import { createAddressOf } from './net/address.ts';
import { StartError } from './protocol/errors.ts';
import { settingWarnings } from './settings.ts';

/** All settings, validated once at start. */
export interface Config {
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
  /** True if rates and numbers of connections are limited. */
  readonly rateLimits: boolean;
  readonly limits: Limits;
  /** Proxies whose `X-Forwarded-For` is trusted: addresses, networks, or names of ranges. */
  readonly trustProxy: readonly string[];
  readonly logLevel: string;
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

type Environment = Readonly<Record<string, string | undefined>>;

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
  const text = (name: string) => env[name]?.trim() || undefined;

  function wrong(name: string, problem: string, expected: string): never {
    throw new StartError(`${name} ${problem}; expected ${expected}`);
  }

  function integer(name: string, fallback: number, min: number, max: number): number {
    const value = text(name);
    if (value === undefined) return fallback;
    const number = Number(value);
    if (!/^\d+$/.test(value) || number < min || number > max)
      wrong(name, `is "${value}"`, `an integer from ${min} to ${max}`);
    return number;
  }

  function choice(name: string, fallback: string, choices: readonly string[]): string {
    const value = text(name) ?? fallback;
    if (!choices.includes(value)) wrong(name, `is "${value}"`, `one of ${choices.join(', ')}`);
    return value;
  }

  function databaseUrl(): string | undefined {
    const value = text('DATABASE_URL');
    const expected =
      'a URL like postgres://user:password@host:5432/database, or postgres://user@/database?host=/directory for a socket';
    if (value === undefined) return undefined;
    // The value may contain a password, so the message never repeats it.
    const problem = problemOfDatabaseUrl(value);
    if (problem) wrong('DATABASE_URL', problem, expected);
    return value;
  }

  function jwtSecrets(): string[] {
    const value = env.JWT_SECRET || undefined;
    const expected = 'a random string of at least 32 bytes';
    if (value === undefined && env.NODE_ENV === 'production')
      wrong('JWT_SECRET', 'is unset while NODE_ENV is production', expected);
    if (value === undefined) return [];
    if (Buffer.byteLength(value) < MIN_SECRET)
      wrong('JWT_SECRET', `has ${Buffer.byteLength(value)} bytes`, expected);
    // A single secret may contain commas: the value is a list only if each part is long enough.
    const parts = value.split(',').map((part) => part.trim());
    return parts.every((part) => Buffer.byteLength(part) >= MIN_SECRET) ? parts : [value];
  }

  function seconds(name: string, fallback: string): number {
    const value = text(name) ?? fallback;
    const expected = 'a time from 1s to 10 years such as 15m, 24h, 7d, or a number of seconds';
    const milliseconds = /^\d+$/.test(value)
      ? Number(value) * 1000
      : /^\d+(\.\d+)? ?[a-z]+$/i.test(value)
        ? ms(value as ms.StringValue)
        : undefined;
    if (milliseconds === undefined || !(milliseconds >= 1000 && milliseconds <= ms('10y')))
      wrong(name, `is "${value}"`, expected);
    return Math.floor(milliseconds / 1000);
  }

  function origins(name: string): string[] {
    const value = text(name) ?? '*';
    const list = value.split(',').map((origin) => origin.trim());
    for (const origin of list)
      if (origin !== '*' && !(URL.canParse(origin) && new URL(origin).origin === origin))
        wrong(
          name,
          `contains "${origin}"`,
          '* or a comma-separated list of origins such as https://chat.example.com',
        );
    return list;
  }

  function natsServers(): string[] {
    const expected = 'URLs like nats://user:password@host:4222 or tls://host:4222, separated by commas';
    const list = text('NATS_URL')?.split(',') ?? [];
    // Like that of the database, the URL may contain a password.
    for (const server of list.map((entry) => entry.trim()))
      if (!URL.canParse(server) || !/^(nats|tls):$/.test(new URL(server).protocol) || !new URL(server).host)
        wrong('NATS_URL', 'contains an entry that is not the URL of a NATS server', expected);
    if (list.length > 0 && !text('DATABASE_URL'))
      wrong('NATS_URL', 'is set without DATABASE_URL', 'a PostgreSQL that all nodes share');
    if (list.length > 0 && !env.JWT_SECRET)
      wrong('NATS_URL', 'is set without JWT_SECRET', 'a secret that all nodes share');
    return list.map((entry) => entry.trim());
  }

  function url(name: string, expected: string): string | undefined {
    const value = text(name);
    // The value may contain a key, so the message never repeats it.
    if (value !== undefined && !(URL.canParse(value) && /^https?:$/.test(new URL(value).protocol)))
      wrong(name, 'is not an http or https URL', expected);
    return value;
  }

  function tlsFiles() {
    const [tlsCert, tlsKey] = [text('TLS_CERT'), text('TLS_KEY')];
    if (tlsCert && !tlsKey) wrong('TLS_KEY', 'is unset', 'the file of the key for TLS_CERT');
    if (tlsKey && !tlsCert) wrong('TLS_CERT', 'is unset', 'the file of the certificate for TLS_KEY');
    return { tlsCert, tlsKey };
  }

  function proxies(): string[] {
    const list = text('TRUST_PROXY')?.split(',') ?? [];
    const trusted = list.map((entry) => entry.trim());
    try {
      createAddressOf(trusted);
      return trusted;
    } catch {
      const expected =
        'addresses, networks such as 10.0.0.0/8, or loopback, linklocal, uniquelocal, separated by commas';
      return wrong('TRUST_PROXY', `is "${text('TRUST_PROXY')}"`, expected);
    }
  }

  return {
    host: text('HOST') ?? '0.0.0.0',
    port: integer('PORT', 3000, 0, 65535),
    sharesPort: choice('SHARES_PORT', 'off', ['on', 'off']) === 'on',
    ...tlsFiles(),
    databaseUrl: databaseUrl(),
    databasePoolSize: integer('DATABASE_POOL_SIZE', 10, 2, 1000),
    dataDir: text('DATA_DIR') ?? '.data',
    jwtSecret: jwtSecrets(),
    natsUrl: natsServers(),
    natsCreds: text('NATS_CREDS'),
    natsCa: text('NATS_CA'),
    drainSeconds: integer('DRAIN_SECONDS', 0, 0, 3600),
    jwtExpiresIn: seconds('JWT_EXPIRES_IN', '24h'),
    rateLimits: choice('RATE_LIMITS', 'on', ['on', 'off']) === 'on',
    limits: readLimits(integer),
    trustProxy: proxies(),
    logLevel: choice('LOG_LEVEL', 'info', LOG_LEVELS),
    sentryDsn: url('SENTRY_DSN', 'a DSN such as https://key@sentry.example.com/1'),
    otelExporterOtlpEndpoint: url(
      'OTEL_EXPORTER_OTLP_ENDPOINT',
      'the URL of a collector such as http://localhost:4318',
    ),
    otelServiceName: text('OTEL_SERVICE_NAME') ?? 'parley',
    corsOrigins: origins('CORS_ORIGINS'),
    workers: integer('WORKERS', availableParallelism(), 1, 256),
    workerStartSeconds: integer('WORKER_START_SECONDS', 120, 1, 3600),
    passwordThreads: integer('PASSWORD_THREADS', Math.max(1, availableParallelism() - 1), 1, 128),
    passwordCost: integer('PASSWORD_COST', 10, 10, 15),
  };
}
