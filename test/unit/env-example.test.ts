import { readFileSync } from 'node:fs';
import { parseEnv } from 'node:util';
import { expect } from 'chai';
import { type Config, readConfig } from '../../src/config.ts';
import { variableOf } from '../../src/limits.ts';

/** Settings whose default depends on the machine. */
const BY_CORES = ['WORKERS', 'PASSWORD_THREADS'];
const BY_TERMINAL = ['LOG_FORMAT'];

/** A paragraph of the file: comments, and the settings that they describe. */
interface Paragraph {
  readonly comment: string;
  readonly settings: Readonly<Record<string, string | undefined>>;
}

const SETTING = /^#(?=[A-Z_]+=)/gm;

/** The value of every variable, by its name. */
function settingsOf({ limits, ...others }: Config): Map<string, unknown> {
  return new Map(Object.entries({ ...limits, ...others }).map(([name, value]) => [variableOf(name), value]));
}

const isUnset = (value: unknown) => value === undefined || (Array.isArray(value) && value.length === 0);

describe('.env.example', () => {
  const file = readFileSync('.env.example', 'utf8');
  const uncommented = file.replaceAll(SETTING, '');
  const defaults = settingsOf(readConfig({}));
  const paragraphs = file.split(/\n{2,}/).map(
    (text): Paragraph => ({
      comment: (text.match(/^# .*$/gm) ?? []).join('\n'),
      settings: parseEnv(text.replaceAll(SETTING, '')),
    }),
  );

  it('sets nothing by default', () => {
    expect(parseEnv(file)).to.deep.equal({});
  });

  it('has every setting once, and nothing else', () => {
    const names = [...uncommented.matchAll(/^([A-Z_]+)=/gm)].map(([, name]) => name);
    expect(names.toSorted()).to.deep.equal([...defaults.keys()].toSorted());
  });

  it('describes every setting', () => {
    for (const { comment, settings } of paragraphs)
      for (const name of Object.keys(settings)) expect(comment, name).to.have.length.above(20);
  });

  it('has no secret that a server accepts, because everybody knows it', () => {
    expect(() => readConfig(parseEnv(uncommented))).to.throw(/^JWT_SECRET has/);
  });

  it('has the defaults of the server, or states that there is none', () => {
    const example = settingsOf(readConfig({ ...parseEnv(uncommented), JWT_SECRET: 'x'.repeat(64) }));
    for (const { comment, settings } of paragraphs)
      for (const name of Object.keys(settings)) {
        const fallback = defaults.get(name);
        expect(/unset by default/i.test(comment), `${name} is unset by default`).to.equal(isUnset(fallback));
        expect(/default: the number of cores/i.test(comment), name).to.equal(BY_CORES.includes(name));
        expect(/default: pretty on a terminal/i.test(comment), name).to.equal(BY_TERMINAL.includes(name));
        if (!isUnset(fallback) && ![...BY_CORES, ...BY_TERMINAL].includes(name))
          expect(example.get(name), name).to.deep.equal(fallback);
      }
  });
});
