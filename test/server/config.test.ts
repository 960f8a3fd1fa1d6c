import { expect } from 'chai';
import { readConfig } from '../../src/config.ts';
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
