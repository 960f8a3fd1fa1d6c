import { readFileSync } from 'node:fs';
import { expect } from 'chai';
import { parse } from 'yaml';
import { type Config, readConfig } from '../../src/config.ts';

interface Service {
  readonly build?: string;
  readonly profiles?: readonly string[];
  readonly restart?: string;
  readonly environment?: Readonly<Record<string, string | number>>;
  readonly healthcheck?: object;
  readonly volumes?: readonly string[];
  readonly depends_on?: Readonly<Record<string, { readonly condition: string }>>;
}

describe('docker-compose.yml', () => {
  const { services, volumes } = parse(readFileSync('docker-compose.yml', 'utf8'), { merge: true }) as {
    services: Record<string, Service>;
    volumes: object;
  };
  const dockerfile = readFileSync('Dockerfile', 'utf8');

  /** Reads the configuration of a service, with variables of the user's environment. */
  function configOf(name: string, env: Record<string, string> = {}): Config {
    const variables = Object.entries(services[name]?.environment ?? {}).map(([key, value]) => [
      key,
      String(value).replaceAll(/\$\{(\w+):-\}/g, (_, variable: string) => env[variable] ?? ''),
    ]);
    return readConfig({ NODE_ENV: 'production', ...Object.fromEntries(variables) });
  }

  it('starts the database alone without a profile', () => {
    const names = Object.keys(services).filter((name) => !services[name]?.profiles);
    expect(names).to.deep.equal(['postgres']);
  });

  it('runs a server without any setting, whose generated secret is kept in a volume of its user', () => {
    const { jwtSecret, dataDir, databaseUrl } = configOf('server');
    expect([jwtSecret, databaseUrl]).to.deep.equal([[], 'postgres://parley:parley@postgres:5432/parley']);
    expect(services.server?.volumes).to.deep.equal([`server:/app/${dataDir}`]);
    expect(volumes).to.include.keys('server');
    expect(dockerfile).to.match(/^WORKDIR \/app$/m);
    expect(dockerfile).to.include(`RUN mkdir ${dataDir} && chown node:node ${dataDir}\nUSER node`);
    const JWT_SECRET = 'a secret from the environment of the user';
    expect(configOf('server', { JWT_SECRET }).jwtSecret).to.deep.equal([JWT_SECRET]);
  });

  it('requires a secret for several nodes', () => {
    expect(() => configOf('node-1')).to.throw(/JWT_SECRET/);
    const config = configOf('node-1', { JWT_SECRET: 'a secret from the environment of the user' });
    expect(config.natsUrl).to.deep.equal(['nats://nats:4222']);
  });

  it('restarts every service, and starts each one when those that it needs are healthy', () => {
    expect(dockerfile).to.match(/^HEALTHCHECK /m);
    for (const [name, { restart, depends_on }] of Object.entries(services)) {
      expect(restart, name).to.equal('unless-stopped');
      for (const [needed, { condition }] of Object.entries(depends_on ?? {})) {
        expect(condition, `${name}, ${needed}`).to.equal('service_healthy');
        const { healthcheck, build } = services[needed] ?? {};
        expect(healthcheck ?? build, needed).not.to.equal(undefined);
      }
    }
  });
});
