import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { mock } from 'node:test';
import { expect } from 'chai';
import { pino } from 'pino';
import { readCertificate, watchCertificate } from '../../src/net/tls.ts';
import { makeCertificate } from '../support/certificate.ts';
import { until } from '../support/until.ts';

describe('the watch of a certificate', () => {
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'parley-test-'));
    mock.timers.enable({ apis: ['setInterval'] });
  });
  afterEach(async () => {
    await rm(folder, { recursive: true });
  });

  it('logs the same error once, and again after it was mended', async () => {
    const files = makeCertificate(folder);
    const certificate = await readCertificate(files);
    const lines: string[] = [];
    let looks = 0;
    const watch = watchCertificate(
      files,
      () => {
        looks++;
        return certificate;
      },
      pino({ level: 'error' }, { write: (line) => lines.push(JSON.parse(line).err.message) }),
      async () => {},
    );
    const look = async () => {
      mock.timers.tick(5_000);
      await Promise.allSettled([readFile(files.cert), readFile(files.key)]); // behind those of the watch
    };
    const key = await readFile(files.key);
    await rm(files.key);
    await look();
    await until(() => lines.length === 1);
    await look();
    await writeFile(files.key, key);
    await look();
    await until(() => looks === 1);
    await rm(files.key);
    await look();
    await until(() => lines.length === 2);
    watch.close();
    expect(new Set(lines).size).to.equal(1);
    expect(lines[0]).to.include('TLS_KEY');
  });

  it('renews nothing after it was closed, though it was reading the files', async () => {
    const files = makeCertificate(folder);
    let renewals = 0;
    const watch = watchCertificate(
      files,
      () => undefined,
      pino({ level: 'silent' }),
      async () => {
        renewals++;
      },
    );
    mock.timers.tick(5_000);
    watch.close();
    for (let count = 0; count < 2; count++) await readCertificate(files); // the first one with that of the watch
    expect(renewals).to.equal(0);
  });
});
