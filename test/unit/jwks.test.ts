import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import type { JSONWebKeySet, JWTHeaderParameters } from 'jose';
import { pino } from 'pino';
import { openHostKeys } from '../../src/auth/hostKeys.ts';
import { Jwks } from '../../src/auth/Jwks.ts';
import { readConfig } from '../../src/config.ts';
import { StartError } from '../../src/protocol/errors.ts';
import { hostKey, startJwksServer } from '../support/hostTokens.ts';

const SECOND = 1_000;
const log = pino({ level: 'silent' });
const input = { payload: '', signature: '' };

describe('a JWKS', () => {
  let time = 0;
  let loads = 0;
  let published: JSONWebKeySet | Error;
  let load: () => Promise<void>;
  const jwks = () =>
    new Jwks(
      async () => {
        loads++;
        await load();
        if (published instanceof Error) throw published;
        return published;
      },
      { now: () => time },
      log,
    );
  const header = (kid: string): JWTHeaderParameters => ({ alg: 'ES256', kid });
  const setOf = async (...kids: string[]): Promise<JSONWebKeySet> => ({
    keys: (await Promise.all(kids.map((kid) => hostKey(kid)))).map(({ publicKey }) => publicKey),
  });
  /** Returns whether a key is found. */
  const has = async (keys: Jwks, kid: string) => {
    try {
      await keys.find(header(kid), input);
      return true;
    } catch {
      return false;
    }
  };

  beforeEach(async () => {
    [time, loads, load] = [0, 0, async () => {}];
    published = await setOf('a');
  });

  it('finds keys by their kid, and reads no others for those that it has', async () => {
    const keys = jwks();
    await keys.start();
    time = 60 * SECOND;
    expect([await has(keys, 'a'), await has(keys, 'b')]).to.deep.equal([true, false]);
    expect(loads).to.equal(1);
  });

  it('is read again for an unknown key, at most once in 30 seconds whatever arrives', async () => {
    const keys = jwks();
    await keys.start();
    for (const [at, count] of [
      [0, 1],
      [29.999, 1],
      [30, 2],
      [45, 2],
      [59.999, 2],
      [60, 3],
    ] as const) {
      time = at * SECOND;
      await Promise.all(Array.from({ length: 50 }, () => keys.newerThan(keys.version)));
      expect(loads, `${at}`).to.equal(count);
    }
  });

  it('is read once for all that wait, who all get the new keys', async () => {
    const keys = jwks();
    await keys.start();
    published = await setOf('b');
    let arrive = () => {};
    load = () =>
      new Promise((resolve) => {
        arrive = resolve;
      });
    time = 30 * SECOND;
    const waiting = Array.from({ length: 50 }, () => keys.newerThan(1));
    time = 90 * SECOND;
    waiting.push(keys.newerThan(1));
    arrive();
    expect(new Set(await Promise.all(waiting))).to.deep.equal(new Set([true]));
    expect(loads).to.equal(2);
    expect([await has(keys, 'a'), await has(keys, 'b')]).to.deep.equal([false, true]);
  });

  it('offers keys that were read since a token was compared with older ones, without reading again', async () => {
    const keys = jwks();
    await keys.start();
    time = 30 * SECOND;
    await keys.newerThan(1);
    expect(await keys.newerThan(1)).to.equal(true);
    expect(await keys.newerThan(2)).to.equal(false);
    expect(loads).to.equal(2);
  });

  it('keeps the last keys while it cannot be read, and is not read more often then', async () => {
    const keys = jwks();
    await keys.start();
    published = new Error('unreachable');
    for (const [at, count] of [
      [30, 2],
      [59, 2],
      [60, 3],
    ] as const) {
      time = at * SECOND;
      expect(await keys.newerThan(1)).to.equal(false);
      expect(loads).to.equal(count);
    }
    expect(await has(keys, 'a')).to.equal(true);
  });

  it('is read again after ten minutes, so that removed keys end', async () => {
    const keys = jwks();
    await keys.start();
    published = await setOf('b');
    time = 599 * SECOND;
    expect(await has(keys, 'a')).to.equal(true);
    expect(loads).to.equal(1);
    time = 600 * SECOND;
    expect(await has(keys, 'a')).to.equal(true); // not waited for
    await keys.newerThan(1);
    expect(loads).to.equal(2);
    expect([await has(keys, 'a'), await has(keys, 'b')]).to.deep.equal([false, true]);
  });
});

describe('the keys of a host', () => {
  let folder: string;
  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'parley-jwks-'));
  });
  after(() => rmSync(folder, { recursive: true }));

  const openAt = (AUTH_JWKS: string) =>
    openHostKeys(readConfig({ AUTH_JWKS, AUTH_ISSUER: 'host', AUTH_AUDIENCE: 'parley' }), log);
  const file = (content: string) => {
    const path = join(folder, 'jwks.json');
    writeFileSync(path, content);
    return path;
  };

  it('are none without a setting', async () => {
    expect(await openHostKeys(readConfig({}), log)).to.equal(undefined);
  });

  it('are read from a file', async () => {
    const { publicKey } = await hostKey('a');
    const keys = await openAt(file(JSON.stringify({ keys: [publicKey] })));
    expect(await keys?.find({ alg: 'ES256', kid: 'a' }, input)).to.have.property('type', 'public');
  });

  const wrong: Record<string, string> = {
    'is not JSON': '{',
    'is not a JWKS with at least one key': '{ "keys": [] }',
    'contains a private or a secret key': '{ "keys": [{ "kty": "oct", "k": "AAAA" }] }',
  };
  for (const [problem, content] of Object.entries(wrong))
    it(`stop the start with one line if their file ${problem}`, async () => {
      const path = file(content);
      const error = await openAt(path).catch((thrown) => thrown);
      expect(error).to.be.instanceOf(StartError);
      expect(error.message).to.equal(
        `AUTH_JWKS names ${path}, which ${problem}; expected a URL or a file of a JWKS`,
      );
    });

  it('stop the start with one line if their file is missing', async () => {
    const error = await openAt(join(folder, 'none.json')).catch((thrown) => thrown);
    expect(error).to.be.instanceOf(StartError);
    expect(error.message).to.match(/none\.json, which cannot be read \(ENOENT\); expected a URL or a file/);
  });

  it('do not stop the start if their URL cannot be read, answers with an error, or with too much', async () => {
    const server = await startJwksServer();
    for (const [status, body] of [
      [500, '{}'],
      [200, 'no JSON'],
      [200, '{ "keys": [] }'],
      [200, JSON.stringify({ keys: [{ kty: 'EC' }], padding: ' '.repeat(1_048_576) })],
    ] as const) {
      server.answer(status, body);
      expect(await openAt(server.url)).to.have.property('version', 0);
    }
    await server.close();
    expect(await openAt(server.url)).to.have.property('version', 0);
  });
});
