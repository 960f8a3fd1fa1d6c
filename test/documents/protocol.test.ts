import { readFileSync } from 'node:fs';
import { expect } from 'chai';
import { parse } from 'yaml';
import { TYPING_SECONDS } from '../../src/chats/Typists.ts';
import { registry } from '../../src/commands/registry.ts';
import { asyncapiDocument } from '../../src/docs/asyncapi.ts';
import { examples, messageNames } from '../../src/docs/examples.ts';
import { socketErrors } from '../../src/docs/schemas.ts';
import {
  defaultLimits,
  FRAME_BYTES_RECEIVED,
  HEADER_BYTES,
  HOLD_BYTES,
  PAGE_BYTES,
  REPLY_BYTES,
  variableOf,
} from '../../src/limits.ts';
import { CloseCode, mayReconnect } from '../../src/protocol/closeCodes.ts';
import { errorCodes } from '../../src/protocol/errors.ts';
import { violations } from '../support/violations.ts';

const text = readFileSync('docs/protocol.md', 'utf8');

/** Returns the text below a heading, up to the next one of the same level. */
function section(heading: string): string {
  const found = text.split(`\n## ${heading}\n`)[1]?.split('\n## ')[0];
  return found ?? expect.fail(`there is no section "${heading}"`);
}

/** Returns the rows of the tables in a text as cells, without their headings. */
const rowsOf = (markdown: string): string[][] =>
  [...markdown.matchAll(/^\| (.+) \|$/gm)]
    .map(([, row = '']) => row.split(' | '))
    .filter(
      (_, index, rows) => !/^-+$/.test(rows[index]?.[0] ?? '') && !/^-+$/.test(rows[index + 1]?.[0] ?? ''),
    );

/** Returns the first cell of each row in which it is code. */
const codesOf = (markdown: string): string[] =>
  rowsOf(markdown).flatMap(([first = '']) => /^`(\w+)`$/.exec(first)?.[1] ?? []);

/** The frames of the document, one per line. */
const frames = [...text.matchAll(/```json\n(.*?)```/gs)].flatMap(([, block = '']) =>
  block
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line)),
);

/** Returns the name of the message in the AsyncAPI document that describes a frame. */
function messageOf(frame: Record<string, unknown>): string {
  const names = messageNames(String(frame.type));
  if (frame.error) return 'error';
  if (!frame.success) return names.request;
  return 'id' in frame ? names.reply : names.push;
}

describe('the description of the protocol', () => {
  it('has examples of every kind of frame, which fit the schemas', () => {
    const { channels, components } = parse(asyncapiDocument(registry.values(), examples));
    for (const frame of frames) {
      const { payload } = channels.socket.messages[messageOf(frame)] ?? expect.fail(JSON.stringify(frame));
      expect(violations(payload, components, frame), JSON.stringify(frame)).to.equal(null);
    }
    const kinds = new Set(
      frames.map((frame) => messageOf(frame).match(/(Request|Reply|Push)$|^error$/)?.[0]),
    );
    expect([...kinds]).to.have.members(['Request', 'Reply', 'error', 'Push']);
  });

  it('names every error code and no other, except those of the WebSocket protocol', () => {
    const [socket = '', http = ''] = section('Error codes').split('HTTP calls');
    const overSocket = socketErrors([...registry.values()]);
    expect(codesOf(socket)).to.have.members([...overSocket]);
    expect(codesOf(http)).to.have.members(
      Object.keys(errorCodes).filter((code) => !new Set<string>(overSocket).has(code)),
    );
    for (const [, name = ''] of text.matchAll(/`([A-Z]+(?:_[A-Z]+)*)`/g))
      expect([...Object.keys(errorCodes), ...Object.keys(defaultLimits).map(variableOf)]).to.include(name);
  });

  it('has the statuses of refused upgrades', () => {
    const rows = rowsOf(section('The upgrade')).filter(([status = '']) => /^\d+$/.test(status));
    expect(rows).to.have.length(6);
    for (const [status, code = ''] of rows)
      expect(errorCodes[code.replaceAll('`', '') as keyof typeof errorCodes].status).to.equal(Number(status));
  });

  it('names every close code and no other', () => {
    const rows = rowsOf(section('Close codes'));
    const codes = rows.flatMap(([code = '']) => (/^\d+$/.test(code) ? Number(code) : []));
    expect(codes).to.have.members(Object.values(CloseCode));
    for (const [code] of text.matchAll(/\b(?:10[01]\d|4[0-4]\d\d)\b(?!–)/g))
      if (!text.includes(`–${code}`) && code !== '1006') expect(codes).to.include(Number(code));
  });

  it('has the ranges of close codes that clients obey', () => {
    const ranges = rowsOf(section('Close codes')).flatMap(([range = '', rule = '']) => {
      const [from, to] = range.split('–').map(Number);
      return from && to ? { from, to, reconnects: !rule.startsWith('not ') } : [];
    });
    expect(ranges).to.have.length(3);
    for (const { from, to, reconnects } of ranges)
      for (const code of [from, to]) expect(mayReconnect(code, false), `${code}`).to.equal(reconnects);
  });

  it('is part of the package and of the image, where the server reads it, like the guides of the clients', () => {
    const read = ['docs/client.md', 'docs/service-client.md', 'docs/protocol.md', 'docs/site'];
    expect(JSON.parse(readFileSync('package.json', 'utf8')).files).to.include.members(read);
    expect(readFileSync('.dockerignore', 'utf8').split('\n')).to.include.members(
      read.map((path) => `!${path}`),
    );
    expect(readFileSync('Dockerfile', 'utf8')).to.match(/^COPY --from=build \S+\/docs docs$/m);
  });

  it('has the limits of the code', () => {
    const rows = rowsOf(section('Limits'));
    const variables = new Map(
      Object.entries(defaultLimits).map(([name, value]) => [variableOf(name), value]),
    );
    expect(rows).to.have.length(17);
    for (const [name = '', value = ''] of rows)
      expect(Number(value.replaceAll(',', '')), name).to.equal(variables.get(name.replaceAll('`', '')));
    const { frameBytes, sendBufferBytes, unansweredBytesPerConnection, idleSeconds } = defaultLimits;
    const kib = (bytes: number) => `${bytes / 1024} KiB`;
    const mib = (bytes: number) => `${bytes / 1024 / 1024} MiB`;
    for (const sentence of [
      `over ${kib(frameBytes)}*`,
      `over ${mib(FRAME_BYTES_RECEIVED)}`,
      `at most ${mib(REPLY_BYTES)}`,
      `early at ${kib(PAGE_BYTES)}`,
      `more than ${kib(HOLD_BYTES)}`,
      `more than ${mib(sendBufferBytes)}*`,
      `${mib(unansweredBytesPerConnection)}* of them`,
      `${idleSeconds} seconds*`,
      `Headers over ${kib(HEADER_BYTES)}`,
      `"expiresInSeconds": ${TYPING_SECONDS}`,
    ])
      expect(text.replaceAll(/\s+/g, ' ')).to.include(sentence);
  });
});
