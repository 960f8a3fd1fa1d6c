import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { loadConfig, readConfig } from '../../src/config.ts';
import { settingWarnings } from '../../src/misspeltSettings.ts';
import { StartError } from '../../src/protocol/errors.ts';

describe('the configuration', () => {
  it('has the defaults of the README', () => {
    expect(readConfig({})).to.deep.include({
      host: '0.0.0.0',
      port: 3000,
      databaseUrl: undefined,
      databasePoolSize: 10,
      dataDir: '.data',
      jwtSecret: [],
      jwtExpiresIn: 86_400,
      rateLimits: true,
      logLevel: 'info',
      corsOrigins: ['*'],
    });
  });

  it('accepts times with a unit or in seconds', () => {
    for (const [value, seconds] of [
      ['90', 90],
      ['15m', 900],
      ['7d', 604_800],
      ['1.5h', 5_400],
      ['1s', 1],
      ['1.9', undefined],
      ['10y', 315_576_000],
      ['11y', undefined],
      ['999ms', undefined],
      ['-1h', undefined],
      ['9'.repeat(20), undefined],
    ] as const)
      if (seconds === undefined)
        expect(() => readConfig({ JWT_EXPIRES_IN: value }), value).to.throw(
          StartError,
          'from 1s to 10 years',
        );
      else expect(readConfig({ JWT_EXPIRES_IN: value }).jwtExpiresIn, value).to.equal(seconds);
  });

  it('accepts integers from the minimum to the maximum, in decimal digits only', () => {
    for (const [name, min, max] of [
      ['PORT', 0, 65_535],
      ['DATABASE_POOL_SIZE', 2, 1_000],
      ['IDLE_SECONDS', 8, 900],
      ['PASSWORD_COST', 10, 15],
    ] as const) {
      for (const number of [min, max]) expect(() => readConfig({ [name]: ` ${number} ` })).not.to.throw();
      for (const number of [min - 1, max + 1])
        expect(() => readConfig({ [name]: `${number}` }), `${name}=${number}`).to.throw(
          StartError,
          `${name} is "${number}"; expected an integer from ${min} to ${max}`,
        );
    }
    for (const value of ['+80', '-0', '0x50', '0b1', '8e1', '80.0', '8_0', '8 0', '٨٠', 'Infinity'])
      expect(() => readConfig({ PORT: value }), value).to.throw(StartError, `PORT is "${value}"`);
  });

  it('accepts a secret of exactly 32 bytes, however many characters they are', () => {
    for (const secret of ['x'.repeat(32), 'ä'.repeat(16), '€'.repeat(11)])
      expect(readConfig({ JWT_SECRET: secret }).jwtSecret).to.deep.equal([secret]);
    expect(readConfig({ JWT_SECRET: `${'ä'.repeat(16)},${'x'.repeat(32)}` }).jwtSecret).to.have.length(2);
    expect(() => readConfig({ JWT_SECRET: 'x'.repeat(31) })).to.throw(StartError, 'JWT_SECRET has 31 bytes');
  });

  it('accepts the two schemes of a database, of NATS and of a service', () => {
    const secret = { JWT_SECRET: 'x'.repeat(32), DATABASE_URL: 'postgresql://db/parley' };
    const { databaseUrl, natsUrl } = readConfig({ ...secret, NATS_URL: 'nats://a, tls://b:4223' });
    expect(databaseUrl).to.equal('postgresql://db/parley');
    expect(natsUrl).to.deep.equal(['nats://a', 'tls://b:4223']);
    for (const url of ['http://localhost:4318', 'https://collector'])
      expect(readConfig({ OTEL_EXPORTER_OTLP_ENDPOINT: url }).otelExporterOtlpEndpoint).to.equal(url);
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

  const wrong: [Record<string, string>, RegExp][] = [
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
    [{ SENTRY_DSN: 'ftp://hidden@sentry' }, /^SENTRY_DSN is not an http or https URL(?!.*hidden).*$/],
    [{ SENTRY_DSN: 'sentry' }, /^SENTRY_DSN is not an http or https URL; expected a DSN/],
    [{ PASSWORD_COST: '4' }, /^PASSWORD_COST is "4"; expected an integer from 10 to 15$/],
    [{ JWT_SECRET: 'short' }, /^JWT_SECRET has 5 bytes; expected a random string of at least 32 bytes$/],
    [{ NODE_ENV: 'production' }, /^JWT_SECRET is unset while NODE_ENV is production; expected/],
    [{ JWT_EXPIRES_IN: 'tomorrow' }, /^JWT_EXPIRES_IN is "tomorrow"; expected a time/],
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
    [{ RATE_LIMITS: 'maybe' }, /^RATE_LIMITS is "maybe"; expected one of on, off$/],
    [{ LOG_LEVEL: 'loud' }, /^LOG_LEVEL is "loud"; expected one of trace, debug/],
    [{ DATABASE_POOL_SIZE: '1' }, /^DATABASE_POOL_SIZE is "1"; expected an integer from 2 to 1000$/],
    [{ CORS_ORIGINS: 'example.com/app' }, /^CORS_ORIGINS contains "example.com\/app"; expected/],
    [{ NATS_URL: 'redis://:hidden@queue' }, /^NATS_URL contains an entry that is not the URL(?!.*hidden).*$/],
    [
      { NATS_URL: 'nats://a,b' },
      /^NATS_URL contains an entry that is not the URL of a NATS server; expected URLs/,
    ],
    [{ NATS_URL: 'nats://queue' }, /^NATS_URL is set without DATABASE_URL; expected/],
    [
      { NATS_URL: 'nats://queue', DATABASE_URL: 'postgres://db/parley' },
      /^NATS_URL is set without JWT_SECRET; expected/,
    ],
    [{ DRAIN_SECONDS: '-1' }, /^DRAIN_SECONDS is "-1"; expected an integer from 0 to 3600$/],
  ];
  for (const [env, message] of wrong)
    it(`refuses ${JSON.stringify(env)}, naming the variable, the problem and the expected form`, () => {
      expect(() => readConfig(env)).to.throw(StartError, message);
    });

  describe('of this process', () => {
    const folder = process.cwd();
    let variables: NodeJS.ProcessEnv;
    let temporary: string;
    beforeEach(() => {
      variables = process.env;
      process.env = { ...variables };
      temporary = mkdtempSync(join(tmpdir(), 'parley-test-'));
      process.chdir(temporary);
    });
    afterEach(() => {
      process.chdir(folder);
      process.env = variables;
      rmSync(temporary, { recursive: true });
    });

    it('is read from the file .env, over it from the environment, and over both from the command line', () => {
      writeFileSync('.env', 'HOST=file\nDATA_DIR=file\nWORKERS=1\n');
      Object.assign(process.env, { DATA_DIR: 'environment', WORKERS: '2' });
      const { host, dataDir, workers } = loadConfig({ WORKERS: '3' });
      expect([host, dataDir, workers]).to.deep.equal(['file', 'environment', 3]);
    });

    it('leaves the variables of libraries where these read them', () => {
      writeFileSync('.env', 'OTEL_RESOURCE_ATTRIBUTES=file\nOTEL_LOG_LEVEL=file\n');
      process.env.OTEL_LOG_LEVEL = 'environment';
      loadConfig();
      expect(process.env).to.include({
        OTEL_RESOURCE_ATTRIBUTES: 'file',
        OTEL_LOG_LEVEL: 'environment',
      });
    });

    it('needs no file', () => {
      process.env.HOST = 'environment';
      expect(loadConfig().host).to.equal('environment');
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
    ];
    it('suggests the setting that a misspelt variable resembles', () => {
      for (const [name, setting] of meant) {
        const warning = [`${name} is not a setting of Parley; did you mean ${setting}?`];
        expect(settingWarnings(settings, [name], [])).to.deep.equal(warning);
        expect(settingWarnings(settings, [name], [name])).to.deep.equal(warning);
      }
    });

    it('suggests nothing for a word that differs in two letters', () => {
      for (const name of ['PROTS', 'HOSTED', 'XPORTX', 'HSTO_'])
        expect(settingWarnings(settings, [name], [])).to.deep.equal([]);
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
