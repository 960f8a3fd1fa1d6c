import { readFile } from 'node:fs/promises';
import { brotliDecompressSync, gunzipSync } from 'node:zlib';
import { expect } from 'chai';
import { CLIENT_LIMIT } from '../../web/clientLimit.ts';
import { builtFile } from '../support/builtFile.ts';
import { http, server } from '../support/harness.ts';

/** Returns the bytes of a file as sent: fetch would decompress them. */
async function raw(path: string, headers: Record<string, string>) {
  const { request } = await import('node:http');
  return new Promise<{ headers: NodeJS.Dict<string | string[]>; body: Buffer }>((resolve, reject) => {
    request(server.url + path, { headers }, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk) => chunks.push(chunk));
      response.on('end', () => resolve({ headers: response.headers, body: Buffer.concat(chunks) }));
    })
      .on('error', reject)
      .end();
  });
}

/** Returns the paths that the page loads from its own origin. */
const linksIn = (html: string): string[] =>
  [...html.matchAll(/(?:src|href)="([^"]+)"/g)].map(
    ([, link = '']) => new URL(link, `${server.url}/`).pathname,
  );

describe('the page', () => {
  it('is served at the root, with everything it loads, under a strict policy', async () => {
    const { status, headers, body } = await http('GET', '/');
    expect([status, headers.get('content-type'), headers.get('cache-control')]).to.deep.equal([
      200,
      'text/html; charset=utf-8',
      'no-cache',
    ]);
    const policy = headers.get('content-security-policy') ?? '';
    expect(policy).to.match(/^default-src 'none'; script-src 'self'; style-src 'self';/);
    expect(policy).not.to.match(/unsafe|https?:|\*/);
    expect(headers.get('referrer-policy')).to.equal('no-referrer');
    expect(headers.get('strict-transport-security')).to.equal(null); // without TLS
    expect(body).not.to.match(/<script>|<style|style=/);
    const types = {
      js: 'text/javascript',
      css: 'text/css',
      svg: 'image/svg+xml',
      webmanifest: 'application/manifest+json',
    };
    const links = linksIn(body);
    expect(links.length).to.be.at.least(4);
    for (const link of links) {
      const asset = await http('GET', link);
      const type = types[link.split('.').at(-1) as keyof typeof types];
      expect([asset.status, asset.headers.get('content-type')], link).to.deep.equal([
        200,
        `${type}; charset=utf-8`,
      ]);
      const forever = 'public, max-age=31536000, immutable';
      expect(asset.headers.get('cache-control'), link).to.equal(
        link.startsWith('/assets/') ? forever : 'no-cache',
      );
    }
  });

  it('is compressed for browsers that accept it, and not sent again to those that have cached it', async () => {
    const script = linksIn((await http('GET', '/')).body).find((link) => link.endsWith('.js')) ?? '';
    const plain = await raw(script, { 'accept-encoding': 'identity' });
    expect(plain.headers['content-encoding']).to.equal(undefined);
    const brotli = await raw(script, { 'accept-encoding': 'gzip, deflate, br' });
    expect(brotli.headers['content-encoding']).to.equal('br');
    expect(brotliDecompressSync(brotli.body)).to.deep.equal(plain.body);
    expect(brotli.body.length).to.be.below(plain.body.length / 2);
    const gzip = await raw(script, { 'accept-encoding': 'gzip, br;q=0' });
    expect(gzip.headers['content-encoding']).to.equal('gzip');
    expect(gunzipSync(gzip.body)).to.deep.equal(plain.body);
    const tags = [plain, brotli, gzip].map(({ headers }) => headers.etag);
    expect(new Set(tags)).to.have.property('size', 3);
    for (const { headers } of [plain, brotli, gzip]) expect(headers.vary).to.equal('Accept-Encoding');
    const again = await raw(script, { 'accept-encoding': 'br', 'if-none-match': `${brotli.headers.etag}` });
    expect(again.body).to.have.length(0);
  });

  it('gives no access outside its folder', async () => {
    for (const path of [
      '/../package.json',
      '/assets/../../../package.json',
      '/%2e%2e/package.json',
      '/assets/',
    ])
      expect((await http('GET', path)).status, path).to.equal(404);
  });
});

describe('the client for browsers', () => {
  it('is one file within its limit, which pages of any origin may import', async () => {
    const built = builtFile('dist/browser/client.js');
    const { headers, body } = await raw('/client.js', { 'accept-encoding': 'gzip' });
    expect(headers['access-control-allow-origin']).to.equal('*');
    expect(headers['content-type']).to.equal('text/javascript; charset=utf-8');
    expect(body.length).to.be.at.most(CLIENT_LIMIT);
    const text = gunzipSync(body).toString();
    expect(text).to.equal(await readFile(built, 'utf8'));
    expect(text).not.to.match(/\bimport\b\s*[({"'*]/); // nothing else is loaded
    const { connect, accounts, ParleyError } = await import(
      `data:text/javascript,${encodeURIComponent(text)}`
    );
    expect([connect, accounts, ParleyError].map((value) => typeof value)).to.deep.equal(
      Array(3).fill('function'),
    );
  });

  it('has its declarations beside it, without imports', async () => {
    const { headers, body } = await http('GET', '/client.d.ts');
    expect(headers.get('content-type')).to.equal('text/plain; charset=utf-8');
    expect(headers.get('access-control-allow-origin')).to.equal('*');
    expect(body).to.equal(await readFile(builtFile('dist/browser/client.d.ts'), 'utf8'));
    expect(body)
      .to.include('export interface PrivateMessageParams extends SendOptions {')
      .and.not.match(/^import\b|import\(/m);
  });
});
