import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { loadConfig, misspeltSettings, readConfig } from '../../src/config.ts';
import { defaultLimits } from '../../src/limits.ts';
import { settingWarnings } from '../../src/misspeltSettings.ts';
import { StartError } from '../../src/protocol/errors.ts';

describe('the configuration', () => {
  it('has the defaults of docs/configuration.md', () => {
    expect(readConfig({})).to.deep.equal({
      host: '0.0.0.0',
      port: 3000,
      sharesPort: false,
      tlsCert: undefined,
      tlsKey: undefined,
      databaseUrl: undefined,
      databasePoolSize: 10,
      dataDir: '.data',
      jwtSecret: [],
      natsUrl: [],
      natsCreds: undefined,
      natsCa: undefined,
      drainSeconds: 0,
      jwtExpiresIn: 86_400,
      authJwks: undefined,
      authSecret: undefined,
      authIssuer: undefined,
      authAudience: undefined,
      authAlgorithms: ['RS256', 'ES256', 'EdDSA'],
      authUserClaim: 'sub',
      registration: true,
      directory: 'all',
      eventDays: 7,
      webhookPrivateNetworks: false,
      rateLimits: true,
      limits: defaultLimits,
      trustProxy: [],
      logLevel: 'info',
      logFormat: process.stdout.isTTY ? 'pretty' : 'json',
      sentryDsn: undefined,
      otelExporterOtlpEndpoint: undefined,
      otelServiceName: 'parley',
      corsOrigins: ['*'],
      workers: availableParallelism(),
      workerStartSeconds: 120,
      passwordThreads: Math.max(1, availableParallelism() - 1),
      passwordCost: 10,
    });
  });

  it('reads each setting from the variable of its name, without spaces around it', () => {
    const secret = 'a secret of thirty-two bytes or more';
    const env = {
      HOST: ' ::1 ',
      PORT: ' 4000 ',
      SHARES_PORT: 'on',
      TLS_CERT: 'cert.pem',
      TLS_KEY: 'key.pem',
      DATABASE_URL: 'postgresql://db/parley',
      DATABASE_POOL_SIZE: '20',
      DATA_DIR: '/data',
      JWT_SECRET: secret,
      NATS_URL: 'nats://one, tls://two:4222',
      NATS_CREDS: 'nats.creds',
      NATS_CA: 'ca.pem',
      DRAIN_SECONDS: '5',
      JWT_EXPIRES_IN: '1h',
      AUTH_JWKS: ' https://id.example.com/jwks ',
      AUTH_ISSUER: 'https://id.example.com/',
      AUTH_AUDIENCE: 'parley',
      AUTH_ALGORITHMS: 'ES256, EdDSA',
      AUTH_USER_CLAIM: 'uid',
      REGISTRATION: 'off',
      DIRECTORY: 'contacts',
      EVENT_DAYS: '30',
      WEBHOOK_PRIVATE_NETWORKS: 'on',
      RATE_LIMITS: 'off',
      COMMAND_BURST: '7',
      TRUST_PROXY: 'loopback, 10.0.0.0/8',
      LOG_LEVEL: 'silent',
      LOG_FORMAT: 'pretty',
      SENTRY_DSN: 'https://key@sentry.example.com/1',
      OTEL_EXPORTER_OTLP_ENDPOINT: 'http://localhost:4318',
      OTEL_SERVICE_NAME: 'chat',
      CORS_ORIGINS: 'https://a.example, http://b.example:8080',
      WORKERS: '2',
      WORKER_START_SECONDS: '30',
      PASSWORD_THREADS: '3',
      PASSWORD_COST: '12',
    };
    expect(readConfig(env)).to.deep.equal({
      host: '::1',
      port: 4000,
      sharesPort: true,
      tlsCert: 'cert.pem',
      tlsKey: 'key.pem',
      databaseUrl: 'postgresql://db/parley',
      databasePoolSize: 20,
      dataDir: '/data',
      jwtSecret: [secret],
      natsUrl: ['nats://one', 'tls://two:4222'],
      natsCreds: 'nats.creds',
      natsCa: 'ca.pem',
      drainSeconds: 5,
      jwtExpiresIn: 3_600,
      authJwks: 'https://id.example.com/jwks',
      authSecret: undefined,
      authIssuer: 'https://id.example.com/',
      authAudience: 'parley',
      authAlgorithms: ['ES256', 'EdDSA'],
      authUserClaim: 'uid',
      registration: false,
      directory: 'contacts',
      eventDays: 30,
      webhookPrivateNetworks: true,
      rateLimits: false,
      limits: { ...defaultLimits, commandBurst: 7 },
      trustProxy: ['loopback', '10.0.0.0/8'],
      logLevel: 'silent',
      logFormat: 'pretty',
      sentryDsn: 'https://key@sentry.example.com/1',
      otelExporterOtlpEndpoint: 'http://localhost:4318',
      otelServiceName: 'chat',
      corsOrigins: ['https://a.example', 'http://b.example:8080'],
      workers: 2,
      workerStartSeconds: 30,
      passwordThreads: 3,
      passwordCost: 12,
    });
  });

  for (const [variable, min, max] of [
    ['PORT', 0, 65_535],
    ['DATABASE_POOL_SIZE', 2, 1_000],
    ['DRAIN_SECONDS', 0, 3_600],
    ['WORKERS', 1, 256],
    ['WORKER_START_SECONDS', 1, 3_600],
    ['PASSWORD_THREADS', 1, 128],
    ['PASSWORD_COST', 10, 15],
  ] as const)
    it(`accepts ${variable} from ${min} to ${max}, and no number beside`, () => {
      for (const value of [min, max]) expect(() => readConfig({ [variable]: `${value}` })).not.to.throw();
      const expected = `; expected an integer from ${min} to ${max}`;
      for (const value of [min - 1, max + 1])
        expect(() => readConfig({ [variable]: `${value}` })).to.throw(StartError, expected);
    });

  it('accepts integers in decimal digits only', () => {
    for (const value of ['+80', '-80', '0x50', '8e1', '80.0', '80a', 'a80', '8 0', '８０'])
      expect(() => readConfig({ PORT: value })).to.throw(StartError, `PORT is "${value}"; expected`);
  });

  it('accepts each level of the log', () => {
    for (const level of ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'])
      expect(readConfig({ LOG_LEVEL: level }).logLevel).to.equal(level);
  });

  it('accepts times with a unit or in seconds', () => {
    for (const [value, seconds] of [
      ['90', 90],
      ['15m', 900],
      ['7d', 604_800],
      ['1.5h', 5_400],
      ['2 Hours', 7_200],
      ['0.25h', 900],
      ['1', 1],
      ['1s', 1],
      ['1999ms', 1],
      ['10y', 315_576_000],
      ['315576000', 315_576_000],
    ] as const)
      expect(readConfig({ JWT_EXPIRES_IN: value }).jwtExpiresIn).to.equal(seconds);
  });

  it('accepts several secrets, each long enough, or one that contains commas', () => {
    const [one, two] = ['1'.repeat(32), '2'.repeat(40)];
    expect(readConfig({ JWT_SECRET: `${one}, ${two}` }).jwtSecret).to.deep.equal([one, two]);
    expect(readConfig({ JWT_SECRET: `${one},short` }).jwtSecret).to.deep.equal([`${one},short`]);
  });

  it('accepts a database URL whose password contains commas', () => {
    const url = 'postgres://a:1,b:2@db/parley';
    expect(readConfig({ DATABASE_URL: url }).databaseUrl).to.equal(url);
  });

  it('treats an empty value as unset', () => {
    expect(readConfig({ PORT: '', JWT_SECRET: '', DATABASE_URL: ' ' })).to.deep.equal(readConfig({}));
  });

  it('accepts a database at a Unix socket', () => {
    const url = 'postgres://parley@/parley?host=/run/postgresql';
    expect(readConfig({ DATABASE_URL: url }).databaseUrl).to.equal(url);
  });

  it('keeps the spaces of a single secret', () => {
    const secret = ` ${'1'.repeat(32)} `;
    expect(readConfig({ JWT_SECRET: `${secret},short` }).jwtSecret).to.deep.equal([`${secret},short`]);
  });

  it('accepts a list of origins, and refuses whatever is more than an origin', () => {
    const list = 'https://a.example.com , http://localhost:8080';
    expect(readConfig({ CORS_ORIGINS: list }).corsOrigins).to.deep.equal([
      'https://a.example.com',
      'http://localhost:8080',
    ]);
    for (const wrong of [
      'https://a.example.com/',
      'https://a.example.com/app',
      'https://a.example.com?x',
      'https://me@a.example.com',
      'https://a.example.com:443',
      'null',
    ])
      expect(() => readConfig({ CORS_ORIGINS: `http://localhost, ${wrong}` }), wrong).to.throw(
        StartError,
        `CORS_ORIGINS contains "${wrong}"; expected * or`,
      );
  });

  it('accepts a secret of exactly 32 bytes, however many characters they are', () => {
    for (const secret of ['x'.repeat(32), 'ä'.repeat(16), '€'.repeat(11)])
      expect(readConfig({ JWT_SECRET: secret }).jwtSecret).to.deep.equal([secret]);
    expect(readConfig({ JWT_SECRET: `${'ä'.repeat(16)},${'x'.repeat(32)}` }).jwtSecret).to.have.length(2);
    expect(() => readConfig({ JWT_SECRET: 'x'.repeat(31) })).to.throw(StartError, 'JWT_SECRET has 31 bytes');
  });

  it('accepts a secret of exactly 32 bytes, in production too', () => {
    const secret = 'ä'.repeat(16);
    expect(readConfig({ JWT_SECRET: secret, NODE_ENV: 'production' }).jwtSecret).to.deep.equal([secret]);
  });

  it('accepts a secret of a host, alone or with an issuer and an audience, and then HS256 only', () => {
    const secret = '€'.repeat(11);
    const { authSecret, authAlgorithms, authIssuer } = readConfig({ AUTH_SECRET: secret });
    expect([authSecret, authAlgorithms, authIssuer]).to.deep.equal([secret, ['HS256'], undefined]);
    const env = {
      AUTH_SECRET: secret,
      AUTH_ISSUER: 'host',
      AUTH_AUDIENCE: 'parley',
      AUTH_ALGORITHMS: 'HS256',
    };
    expect(readConfig(env)).to.include({ authIssuer: 'host', authAudience: 'parley' });
  });

  const host = { AUTH_JWKS: 'jwks.json', AUTH_ISSUER: 'host', AUTH_AUDIENCE: 'parley' };
  const [one, two] = ['1'.repeat(32), '2'.repeat(32)];
  const wrong: [Record<string, string>, RegExp][] = [
    [
      { AUTH_JWKS: 'jwks.json' },
      /^AUTH_ISSUER is unset while AUTH_JWKS is set; expected the claim iss of the tokens$/,
    ],
    [
      { AUTH_JWKS: 'jwks.json', AUTH_ISSUER: 'host' },
      /^AUTH_AUDIENCE is unset while AUTH_JWKS is set; expected/,
    ],
    [{ ...host, AUTH_JWKS: 'https://' }, /^AUTH_JWKS is not a URL; expected a URL such as https:/],
    [
      { ...host, AUTH_JWKS: 'https://a:hidden@b/' },
      /^AUTH_JWKS has a user or a password; expected(?!.*hidden).*$/,
    ],
    [{ ...host, AUTH_SECRET: one }, /^AUTH_SECRET is set beside AUTH_JWKS; expected only one of them$/],
    [
      { ...host, AUTH_ALGORITHMS: 'RS256,HS256' },
      /^AUTH_ALGORITHMS contains "HS256"; expected with AUTH_JWKS a list of/,
    ],
    [
      { ...host, AUTH_ALGORITHMS: 'none' },
      /^AUTH_ALGORITHMS contains "none"; expected with AUTH_JWKS a list of RS256,/,
    ],
    [
      { AUTH_SECRET: one, AUTH_ALGORITHMS: 'RS256' },
      /^AUTH_ALGORITHMS contains "RS256"; expected with AUTH_SECRET a list/,
    ],
    [
      { AUTH_SECRET: 'x'.repeat(31) },
      /^AUTH_SECRET has 31 bytes; expected a random string of at least 32 bytes$/,
    ],
    [
      { AUTH_SECRET: two, JWT_SECRET: `${one},${two}` },
      /^AUTH_SECRET is also in JWT_SECRET; expected a secret that/,
    ],
    [
      { AUTH_ISSUER: 'host' },
      /^AUTH_ISSUER is set without AUTH_JWKS or AUTH_SECRET; expected one of them beside it$/,
    ],
    [{ AUTH_USER_CLAIM: 'uid' }, /^AUTH_USER_CLAIM is set without AUTH_JWKS or AUTH_SECRET; expected/],
    [{ PORT: 'http' }, /^PORT is "http"; expected an integer from 0 to 65535$/],
    [{ PORT: '70000' }, /^PORT is "70000"; expected/],
    [{ COMMANDS_PER_SECOND: '0' }, /^COMMANDS_PER_SECOND is "0"; expected an integer from 1 to 1000000$/],
    [{ MEMBERS_PER_GROUP: '1' }, /^MEMBERS_PER_GROUP is "1"; expected an integer from 2 to/],
    [
      { TRUST_PROXY: 'loopback, my-proxy' },
      /^TRUST_PROXY is "loopback, my-proxy"; expected addresses, networks/,
    ],
    [{ TLS_CERT: 'cert.pem' }, /^TLS_KEY is unset; expected the file of the key for TLS_CERT$/],
    [{ TLS_KEY: 'key.pem' }, /^TLS_CERT is unset; expected the file of the certificate for TLS_KEY$/],
    [{ SHARES_PORT: 'yes' }, /^SHARES_PORT is "yes"; expected one of on, off$/],
    [{ SENTRY_DSN: 'ftp://hidden@sentry.example.com/1' }, /^SENTRY_DSN is not an http(?!.*hidden).*$/],
    [
      { OTEL_EXPORTER_OTLP_ENDPOINT: 'localhost:4318' },
      /^OTEL_EXPORTER_OTLP_ENDPOINT is not an http or https URL; expected the URL of a collector such as/,
    ],
    [{ SENTRY_DSN: 'xhttp://key@sentry.example.com/1' }, /^SENTRY_DSN is not an http or https URL/],
    [{ SENTRY_DSN: 'sentry' }, /^SENTRY_DSN is not an http or https URL; expected a DSN/],
    [{ PASSWORD_COST: '4' }, /^PASSWORD_COST is "4"; expected an integer from 10 to 15$/],
    [{ JWT_SECRET: 'short' }, /^JWT_SECRET has 5 bytes; expected a random string of at least 32 bytes$/],
    [{ NODE_ENV: 'production' }, /^JWT_SECRET is unset while NODE_ENV is production; expected/],
    [{ JWT_EXPIRES_IN: 'tomorrow' }, /^JWT_EXPIRES_IN is "tomorrow"; expected a time/],
    [{ JWT_EXPIRES_IN: '0' }, /^JWT_EXPIRES_IN is "0"; expected a time from 1s to 10 years such as 15m/],
    [{ JWT_EXPIRES_IN: '999ms' }, /^JWT_EXPIRES_IN is "999ms"; expected a time/],
    [{ JWT_EXPIRES_IN: '11y' }, /^JWT_EXPIRES_IN is "11y"; expected a time/],
    [{ JWT_EXPIRES_IN: '315576001' }, /^JWT_EXPIRES_IN is "315576001"; expected a time/],
    [{ JWT_EXPIRES_IN: '-2h' }, /^JWT_EXPIRES_IN is "-2h"; expected a time/],
    [{ JWT_EXPIRES_IN: 'in 2h' }, /^JWT_EXPIRES_IN is "in 2h"; expected a time/],
    [{ JWT_EXPIRES_IN: 'x90' }, /^JWT_EXPIRES_IN is "x90"; expected a time/],
    [{ JWT_EXPIRES_IN: '1h30m' }, /^JWT_EXPIRES_IN is "1h30m"; expected a time/],
    [{ JWT_EXPIRES_IN: '2 parsecs' }, /^JWT_EXPIRES_IN is "2 parsecs"; expected a time/],
    [{ JWT_EXPIRES_IN: '0s' }, /^JWT_EXPIRES_IN is "0s"; expected a time/],
    [
      { DATABASE_URL: 'mysql://root:hidden@db/x' },
      /^DATABASE_URL has the scheme "mysql:"; expected a URL(?!.*hidden).*$/,
    ],
    [{ DATABASE_URL: 'postgres://db' }, /^DATABASE_URL names no database; expected/],
    [{ DATABASE_URL: 'postgres://db/?host=/tmp' }, /^DATABASE_URL names no database; expected/],
    [{ DATABASE_URL: 'host=db dbname=hidden' }, /^DATABASE_URL is not a URL; expected(?!.*hidden).*$/],
    [{ DATABASE_URL: 'postgres://a:hidden@b:1:2/db' }, /^DATABASE_URL is not a URL; expected(?!.*hidden).*$/],
    [{ DATABASE_URL: 'postgres://a:1,b:2/db' }, /^DATABASE_URL names several servers, .*; expected/],
    [{ DATABASE_URL: 'postgres:///db?host=a,b' }, /^DATABASE_URL names several servers, .*; expected/],
    [{ DATABASE_URL: 'postgres://db/db?port=x' }, /^DATABASE_URL has a port that is not a number; expected/],
    [
      { DATABASE_URL: 'postgres://db/db?sslrootcert=/no/such.pem' },
      /^DATABASE_URL cannot be used \(ENOENT.*such.pem.*\); expected/,
    ],
    [{ REGISTRATION: 'closed' }, /^REGISTRATION is "closed"; expected one of on, off$/],
    [{ DIRECTORY: 'friends' }, /^DIRECTORY is "friends"; expected one of all, contacts, off$/],
    [{ RATE_LIMITS: 'maybe' }, /^RATE_LIMITS is "maybe"; expected one of on, off$/],
    [{ LOG_LEVEL: 'loud' }, /^LOG_LEVEL is "loud"; expected one of trace, debug/],
    [{ LOG_FORMAT: 'text' }, /^LOG_FORMAT is "text"; expected one of pretty, json$/],
    [{ DATABASE_POOL_SIZE: '1' }, /^DATABASE_POOL_SIZE is "1"; expected an integer from 2 to 1000$/],
    [{ CORS_ORIGINS: 'example.com/app' }, /^CORS_ORIGINS contains "example.com\/app"; expected/],
    [
      { CORS_ORIGINS: 'https://a.example/' },
      /^CORS_ORIGINS contains "https:\/\/a.example\/"; expected \* or/,
    ],
    [{ CORS_ORIGINS: '*, https://a.example/app' }, /^CORS_ORIGINS contains "https:\/\/a.example\/app"/],
    [{ CORS_ORIGINS: 'a.example' }, /^CORS_ORIGINS contains "a.example"; expected/],
    [{ CORS_ORIGINS: 'https://a.example,' }, /^CORS_ORIGINS contains ""; expected/],
    [{ NATS_URL: 'nats://one, xnats://two' }, /^NATS_URL contains an entry that is not the URL/],
    [{ NATS_URL: 'natsx://one' }, /^NATS_URL contains an entry that is not the URL/],
    [{ NATS_URL: 'nats://' }, /^NATS_URL contains an entry that is not the URL/],
    [{ NATS_URL: 'queue:4222' }, /^NATS_URL contains an entry that is not the URL/],
    [{ DATABASE_URL: 'xpostgres://db/x' }, /^DATABASE_URL has the scheme "xpostgres:"; expected/],
    [{ DATABASE_URL: 'postgresqlx://db/x' }, /^DATABASE_URL has the scheme "postgresqlx:"; expected/],
    [{ NATS_URL: 'redis://:hidden@queue' }, /^NATS_URL contains an entry that is not the URL(?!.*hidden).*$/],
    [
      { NATS_URL: 'nats://a,b' },
      /^NATS_URL contains an entry that is not the URL of a NATS server; expected URLs/,
    ],
    [
      { NATS_URL: 'nats://queue' },
      /^NATS_URL is set without DATABASE_URL; expected a PostgreSQL that all nodes share$/,
    ],
    [
      { NATS_URL: 'nats://queue', DATABASE_URL: 'postgres://db/parley' },
      /^NATS_URL is set without JWT_SECRET; expected a secret that all nodes share$/,
    ],
    [{ DRAIN_SECONDS: '-1' }, /^DRAIN_SECONDS is "-1"; expected an integer from 0 to 3600$/],
  ];
  for (const [env, message] of wrong)
    it(`refuses ${JSON.stringify(env)}, naming the variable, the problem and the expected form`, () => {
      expect(() => readConfig(env)).to.throw(StartError, message);
    });

  describe('with a file .env', () => {
    const cwd = process.cwd();
    let before: NodeJS.ProcessEnv;
    let folder: string;

    beforeEach(() => {
      folder = mkdtempSync(join(tmpdir(), 'parley-env-'));
      process.chdir(folder);
      before = { ...process.env };
    });

    afterEach(() => {
      process.chdir(cwd);
      rmSync(folder, { recursive: true });
      for (const name of Object.keys(process.env)) if (!(name in before)) delete process.env[name];
      Object.assign(process.env, before);
    });

    it('reads settings from it, and gives precedence to the environment and to what overrides both', () => {
      writeFileSync('.env', 'HOST=file\nDATA_DIR=file\nOTEL_SERVICE_NAME=file\n');
      Object.assign(process.env, { DATA_DIR: 'environment', OTEL_SERVICE_NAME: 'environment' });
      const { host, dataDir, otelServiceName } = loadConfig({ OTEL_SERVICE_NAME: 'override' });
      expect([host, dataDir, otelServiceName]).to.deep.equal(['file', 'environment', 'override']);
    });

    it('passes its variables on to libraries, which read the environment', () => {
      writeFileSync('.env', 'OTEL_TRACES_SAMPLER=always_on\n');
      loadConfig();
      expect(process.env.OTEL_TRACES_SAMPLER).to.equal('always_on');
    });

    it('needs none', () => {
      process.env.HOST = 'environment';
      expect(loadConfig().host).to.equal('environment');
    });

    it('refuses one that cannot be read', () => {
      mkdirSync('.env');
      const problem = '.env cannot be read (EISDIR); expected a file of settings, or none';
      expect(() => loadConfig()).to.throw(StartError, problem);
    });

    it('warns about misspelt settings in it and in the environment, limits included', () => {
      writeFileSync('.env', 'COLOUR=blue\nCOMAND_BURST=3\nCOMMAND_BURST=3\n');
      process.env.DATADIR = '/data';
      expect(misspeltSettings(loadConfig())).to.have.members([
        'DATADIR is not a setting of Parley; did you mean DATA_DIR?',
        'COLOUR is not a setting of Parley',
        'COMAND_BURST is not a setting of Parley; did you mean COMMAND_BURST?',
      ]);
    });
  });

  describe('with unknown variables', () => {
    const settings = ['PORT', 'HOST', 'DATA_DIR', 'LOG_LEVEL', 'CORS_ORIGINS', 'WORKERS', 'NATS_CA'];
    const meant: [string, string][] = [
      ['PROT', 'PORT'],
      ['POR', 'PORT'],
      ['PORTS', 'PORT'],
      ['port', 'PORT'],
      ['DATADIR', 'DATA_DIR'],
      ['DATA_DIRS', 'DATA_DIR'],
      ['LOGLEVLE', 'LOG_LEVEL'],
      ['CORS_ORIGIN', 'CORS_ORIGINS'],
      ['NODE_EVN', 'NODE_ENV'],
      ['PXRT', 'PORT'],
      ['OPRT', 'PORT'],
      ['XPORT', 'PORT'],
    ];
    it('suggests the setting that a misspelt variable resembles', () => {
      for (const [name, setting] of meant) {
        const warning = [`${name} is not a setting of Parley; did you mean ${setting}?`];
        expect(settingWarnings(settings, [name], [])).to.deep.equal(warning);
        expect(settingWarnings(settings, [name], [name])).to.deep.equal(warning);
      }
    });

    it('takes two mistakes for another variable', () => {
      for (const name of ['PXXT', 'PXORT1', 'TROP', 'PTOR', 'PO', 'HO', 'OHTS'])
        expect(settingWarnings(settings, [name], []), name).to.deep.equal([]);
    });

    it('suggests nothing for a word that differs in two letters', () => {
      for (const name of ['PROTS', 'HOSTED', 'XPORTX', 'HSTO_'])
        expect(settingWarnings(settings, [name], [])).to.deep.equal([]);
    });

    it('warns once about a variable that is in both', () => {
      expect(settingWarnings(settings, ['PROT', 'COLOUR'], ['COLOUR', 'PROT'])).to.have.length(2);
    });

    it('ignores variables of other programs', () => {
      const ordinary =
        'PATH HOME HOSTNAME TERM USER LOGNAME SHELL SHLVL PWD OLDPWD LANG LC_ALL TZ MAIL EDITOR DISPLAY _ ' +
        'XDG_DATA_DIRS XDG_DATA_HOME NODE_ENV NODE_OPTIONS NATS_PORT NATS_SERVICE_HOST NATS_PORT_4222_TCP_ADDR ' +
        'POSTGRES_PORT PARLEY_PORT OTEL_LOG_LEVEL npm_config_port INIT_CWD http_proxy SSH_AUTH_SOCK INVOCATION_ID';
      const names = [...ordinary.split(' '), ...Object.keys(process.env), ...settings];
      expect(settingWarnings(settings, names, [])).to.deep.equal([]);
    });

    it('warns about all unknown variables in the .env file', () => {
      expect(settingWarnings(settings, ['COLOUR', 'PORT'], ['COLOUR', 'PORT', 'NODE_ENV'])).to.deep.equal([
        'COLOUR is not a setting of Parley',
      ]);
    });
  });
});
