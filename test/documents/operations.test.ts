import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseEnv, promisify } from 'node:util';
import { expect } from 'chai';
import { commands } from '../../src/admin/commands.ts';
import { readConfig } from '../../src/config.ts';
import { temporaryFolder } from '../support/harness.ts';
import { isInstalled } from '../support/installed.ts';

const text = readFileSync('docs/operations.md', 'utf8');

/** Returns the first block of code in a language that contains a text. */
function block(language: string, content: string): string {
  const blocks = [...text.matchAll(/^```(\w+)\n(.*?)^```/gms)];
  return blocks.find(([, name, code]) => name === language && code?.includes(content))?.[2] ?? '';
}

describe('docs/operations.md', () => {
  it('lists its sections in the table of contents, in order', () => {
    const prose = text.replaceAll(/^```.*?^```/gms, '');
    const sections = [...prose.matchAll(/^(##|###) (.*)$/gm)].map(([, level, title = '']) => {
      const anchor = title
        .toLowerCase()
        .replaceAll(/[^\w\- ]/g, '')
        .replaceAll(' ', '-');
      return `${level === '###' ? '  ' : ''}- [${title}](#${anchor})`;
    });
    const [, contents] = /^# .*?\n\n(.*?)\n\n/s.exec(text) ?? [];
    expect(contents?.split('\n')).to.deep.equal(sections);
  });

  it('has settings that the server accepts, and that outlast the time for a stop', () => {
    const settings = { NODE_ENV: 'production', ...parseEnv(block('ini', '# settings')) };
    expect(() => readConfig(settings), 'a secret that everybody knows').to.throw(/^JWT_SECRET has/);
    const config = readConfig({ ...settings, JWT_SECRET: 'x'.repeat(64) });
    const [, seconds] = /^TimeoutStopSec=(\d+)$/m.exec(block('ini', '[Service]')) ?? [];
    expect(Number(seconds)).to.be.at.least(config.drainSeconds + 10);
  });

  it('names commands of operators that exist', () => {
    const named = [...text.matchAll(/(?:admin --|admin\/main\.js) (\w+ [\w-]+)/g)].map(
      ([, name = '']) => name,
    );
    expect(named).to.include.members(['database move', 'user show', 'user list']);
    expect(named.filter((name) => !(name in commands) && name !== 'user --help')).to.deep.equal([]);
  });

  it('has a unit that systemd accepts', async function () {
    if (!isInstalled('systemd-analyze')) {
      console.log('      skipped: there is no systemd-analyze here');
      return this.skip();
    }
    const folder = await temporaryFolder();
    const file = join(folder, 'parley.service');
    const unit = block('ini', '[Service]').replace('/usr/bin/node', process.execPath);
    await writeFile(file, unit);
    const { stdout, stderr } = await promisify(execFile)('systemd-analyze', ['verify', '--man=no', file]);
    const complaints = `${stdout}${stderr}`.split('\n').filter((line) => line.includes('parley.service'));
    expect(complaints).to.deep.equal([]);
    await rm(folder, { recursive: true });
  });
});
