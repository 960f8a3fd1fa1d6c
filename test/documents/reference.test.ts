import { expect } from 'chai';
import type { TObject, TSchema } from 'typebox';
import { commands } from '../../src/commands/registry.ts';
import { examples } from '../../src/docs/examples.ts';
import { html, plainText } from '../../src/docs/pages/html.ts';
import { inline, markdown } from '../../src/docs/pages/markdown.ts';
import { namedTypes } from '../../src/docs/pages/namedTypes.ts';
import { type Place, placesIn } from '../../src/docs/pages/searchIndex.ts';
import { snippetsOf } from '../../src/docs/pages/snippets.ts';
import { routes } from '../../src/http/routes.ts';
import { CloseCode } from '../../src/protocol/closeCodes.ts';
import { errorCodes } from '../../src/protocol/errors.ts';
import { http, server } from '../support/harness.ts';

const START = '/docs/';

const isReference = (path: string) => path.startsWith(START) || path === '/api/';

/** Everything of the reference that can be reached from its first page, by path. */
const files = new Map<string, { readonly type: string; readonly policy: string; readonly body: string }>();

const pages = () => [...files].filter(([, { type }]) => type.startsWith('text/html'));
const bodyOf = (path: string): string => files.get(START + path)?.body ?? expect.fail(`no page ${path}`);
const idsIn = (body: string): string[] => [...body.matchAll(/\sid="([^"]+)"/g)].map(([, id = '']) => id);
const linksIn = (body: string): string[] =>
  [...body.matchAll(/\s(?:href|src)="([^"]*)"/g)]
    .map(([, link = '']) => link)
    .filter((link) => link !== 'data:,');

async function crawl(path: string): Promise<void> {
  if (files.has(path)) return;
  const { status, headers, body } = await http('GET', path);
  expect(status, path).to.equal(200);
  const type = headers.get('content-type') ?? '';
  const text = typeof body === 'string' ? body : JSON.stringify(body);
  files.set(path, { type, policy: headers.get('content-security-policy') ?? '', body: text });
  if (!type.startsWith('text/html') || !isReference(path)) return;
  for (const link of linksIn(text)) await crawl(new URL(link, server.url + path).pathname);
}

describe('the pages at /docs/', () => {
  before(() => crawl(START));

  it('have only relative links, which lead to pages and anchors that exist', () => {
    for (const [path, { body }] of pages().filter(([each]) => isReference(each)))
      for (const link of linksIn(body)) {
        expect(link, path).to.match(/^(\.\.?\/|#)/);
        const { pathname, hash } = new URL(link, server.url + path);
        const target = files.get(pathname) ?? expect.fail(`${path} links to ${link}`);
        if (hash) expect(idsIn(target.body), `${path} ${link}`).to.include(decodeURIComponent(hash.slice(1)));
      }
  });

  it('have each anchor once, and a link to every heading', () => {
    for (const [path, { body }] of pages()) {
      const ids = idsIn(body);
      expect(ids, path).to.deep.equal([...new Set(ids)]);
      for (const [, id] of body.matchAll(/<h[2-4] id="([^"]+)"/g)) expect(body).to.include(`href="#${id}"`);
    }
  });

  it('have one page per command, with all its params, fields, errors and recorded frames', () => {
    for (const { type, params, result, push, errors } of commands) {
      const body = bodyOf(`commands/${type}`);
      const ids = idsIn(body);
      const names = (prefix: string, properties: object) =>
        Object.keys(properties).map((name) => `${prefix}-${name}`);
      expect(ids, type).to.include.members([
        ...['facts', 'params', 'reply', 'errors', 'code', 'examples'],
        ...names('params', params.properties),
        ...names('reply', result.properties),
        ...(push ? ['push', ...names('push', push.fields.properties)] : []),
      ]);
      for (const code of [...errors, 'BAD_REQUEST', 'RATE_LIMITED', 'UNAVAILABLE', 'INTERNAL'])
        expect(body, type).to.include(`href="../errors#${code}"`);
      const text = [...body.matchAll(/<pre.*?<\/pre>/gs)].map(([block]) => plainText(block)).join('\n');
      for (const kind of ['Request', 'Reply', ...(push ? ['Push'] : [])]) {
        const [frame] = examples.frames[type + kind] ?? [];
        expect(text, type).to.include(JSON.stringify(frame, null, 2).replace(/\s+/g, ' '));
      }
    }
  });

  it('have an anchor for every error code, close code, type and section of the protocol', async () => {
    expect(idsIn(bodyOf('errors'))).to.include.members(Object.keys(errorCodes));
    expect(idsIn(bodyOf('close-codes'))).to.include.members(Object.values(CloseCode).map(String));
    expect(idsIn(bodyOf('types'))).to.include.members(namedTypes.map(({ title }) => title));
    expect(idsIn(bodyOf('protocol'))).to.include.members(['limits', 'after-a-reconnect', 'ping-and-pong']);
    expect(idsIn(bodyOf('client'))).to.include.members(['calls', 'the-view', 'react-vue-and-svelte']);
    for (const [path, { body }] of pages()) expect(body, path).not.to.include('<dd></dd>');
  });

  it('list every command with a link, on a page of their own and beside each page', () => {
    for (const { type } of commands) {
      expect(bodyOf('commands')).to.include(`<th scope="row"><a href="./commands/${type}">`);
      expect(bodyOf('commands/ping')).to.include(`<li><a href="../commands/${type}"`);
    }
  });

  it('describe every HTTP call: body, answers, errors and a recorded example', () => {
    const body = files.get('/api/')?.body ?? expect.fail('no page of the HTTP calls');
    const ids = idsIn(body);
    for (const { method, path, body: sent, success } of routes) {
      const id = `${method} ${path}`.toLowerCase().replaceAll(/[ /]+/g, '-');
      const names = (prefix: string, schema: TSchema | null | undefined) =>
        Object.keys((schema as TObject | null)?.properties ?? {}).map((name) => `${prefix}-${name}`);
      expect(ids, id).to.include.members([
        ...[id, `${id}-errors`, `${id}-example`],
        ...names(`${id}-body`, sent),
        ...Object.entries(success).flatMap(([status, { schema }]) => names(`${id}-${status}`, schema)),
      ]);
      expect(plainText(body), id).to.include(`http://localhost:3000${path}`);
    }
    expect(plainText(body)).to.include(`-d '{"email":"ada@example.com","username":"Ada",`);
  });

  it('allow no inline scripts and styles and no other origin, and have none', () => {
    for (const [path, { policy, body }] of pages().filter(([each]) => isReference(each))) {
      expect(policy, path).to.match(/^default-src 'none'; script-src 'self'; style-src 'self';/);
      expect(policy, path).not.to.match(/unsafe|https?:|\*/);
      expect(body, path).not.to.match(/<style|\sstyle=|<script(?![^>]*\ssrc=)|\son\w+=/);
    }
  });

  it('are compressed for clients that accept it', async () => {
    for (const path of ['', 'protocol', 'search.json', 'style.css'])
      for (const [accepted, encoding] of [
        ['gzip, br', 'br'],
        ['gzip', 'gzip'],
        ['identity', null],
      ] as const) {
        const answer = await fetch(`${server.url}/docs/${path}`, {
          headers: { 'accept-encoding': accepted },
        });
        expect(answer.headers.get('content-encoding'), `${path} ${accepted}`).to.equal(encoding);
        expect(await answer.text()).to.equal(bodyOf(path === 'search.json' ? await index() : path));
      }
  });

  it('have an index for the search, in which every place leads to an anchor', async () => {
    const places: Place[] = JSON.parse(bodyOf(await index()));
    for (const [title, , address, text] of places) {
      const { pathname, hash } = new URL(address, server.url + START);
      const target = files.get(pathname) ?? expect.fail(address);
      if (hash) expect(idsIn(target.body), address).to.include(decodeURIComponent(hash.slice(1)));
      expect([title, text].join()).not.to.match(/<\/|&(amp|lt|gt|quot|#39);/);
    }
    const titles = places.map(([title]) => title);
    expect(titles).to.include.members([
      ...commands.map(({ type }) => type),
      ...Object.keys(errorCodes),
      ...['clientMessageId', 'After a reconnect'],
    ]);
  });
});

/** Reads the index of the search, which only the script links to; returns its path. */
async function index(): Promise<string> {
  await crawl(`${START}search.json`);
  return 'search.json';
}

describe('what the pages are made of', () => {
  it('escapes text in HTML and Markdown', () => {
    expect(String(html`<p title="${'"'}">${'<b> & '}${["'", html`<i>`]}${undefined}${false}</p>`)).to.equal(
      '<p title="&quot;">&lt;b&gt; &amp; &#39;<i></p>',
    );
    expect(String(inline('`<a>` <b>'))).to.equal('<code>&lt;a&gt;</code> &lt;b&gt;');
    expect(String(markdown('<script>alert(1)</script>'))).not.to.include('<script');
    expect(plainText('<p>a &amp;lt; <b>b</b></p>')).to.equal('a &lt; b');
  });

  it('separates the cells of tables in the index of the search', () => {
    const places = placesIn('p', 'Page', String(markdown('## H\n\n| a | b |\n| - | - |\n| c | d |\n')));
    expect(places.map(([, , , text]) => text)).to.deep.equal(['', 'c · d']);
  });

  it('writes params as literals of each language', () => {
    const params = { text: `it's "so"\n`, list: [1, null, true], 'a-b': { deep: -1.5 }, none: {} };
    expect(snippetsOf('x', params).map(({ code }) => code)).to.deep.equal([
      String.raw`const reply = await client.call('x', { text: 'it\'s "so"\n', list: [1, null, true], 'a-b': { deep: -1.5 }, none: {} });`,
      String.raw`reply = await call(socket, "x", {"text": "it's \"so\"\n", "list": [1, None, True], "a-b": {"deep": -1.5}, "none": {}})`,
      String.raw`reply, err := call(socket, "x", object{"text": "it's \"so\"\n", "list": []any{1, nil, true}, "a-b": object{"deep": -1.5}, "none": object{}})`,
    ]);
    expect(snippetsOf('ping', undefined)[0]?.code).to.equal("const reply = await client.call('ping');");
  });
});
