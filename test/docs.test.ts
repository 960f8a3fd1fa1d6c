import { readFile } from 'node:fs/promises';
import { Parser } from '@asyncapi/parser';
import { Validator } from '@seriousme/openapi-schema-validator';
import { Ajv } from 'ajv';
import formats from 'ajv-formats';
import { expect } from 'chai';
import { parse } from 'yaml';
import { registry } from '../src/commands/registry.ts';
import { asyncapiDocument } from '../src/docs/asyncapi.ts';
import { examples } from '../src/docs/examples.ts';
import { recordExamples } from '../src/docs/record.ts';
import { errorCodes } from '../src/errors.ts';
import { routes } from '../src/http/routes.ts';
import { http } from './harness.ts';

interface Message {
  readonly payload: object;
  readonly examples: { readonly payload: object }[];
}

describe('asyncapi.yaml', () => {
  it('is what `npm run docs` makes of the definitions', async () => {
    expect(await readFile('asyncapi.yaml', 'utf8')).to.equal(asyncapiDocument(registry.values(), examples));
  });

  it('has the examples of today’s traffic', async () => {
    expect(await recordExamples()).to.deep.equal(examples);
  });

  it('is accepted by the AsyncAPI parser without errors or warnings', async function () {
    this.timeout(30_000);
    const { document, diagnostics } = await new Parser().parse((await http('GET', '/asyncapi.yaml')).body);
    // 0 is an error, 1 a warning; what is left is a hint that AsyncAPI 3.1 exists
    expect(diagnostics.filter(({ severity }) => severity <= 1)).to.deep.equal([]);
    expect(document?.operations().length).to.be.greaterThan(registry.size);
  });

  it('has an example for every message, and every example fits its schema', () => {
    const ajv = new Ajv({ strict: true, allowUnionTypes: true });
    formats.default(ajv, ['date-time']);
    const { messages } = parse(asyncapiDocument(registry.values(), examples)).components;
    for (const [name, message] of Object.entries<Message>(messages)) {
      expect(message.examples, name).not.to.deep.equal([]);
      const validate = ajv.compile(message.payload);
      for (const { payload } of message.examples) {
        validate(payload);
        expect(validate.errors, `${name} ${JSON.stringify(payload)}`).to.equal(null);
      }
    }
    expect(Object.keys(messages)).to.have.members(Object.keys(examples));
  });

  it('names every error code and every command', async () => {
    const { body } = await http('GET', '/asyncapi.yaml');
    for (const code of Object.keys(errorCodes)) expect(body).to.include(code);
    expect(Object.keys(parse(body).operations)).to.include.members([...registry.keys()]);
  });
});

describe('openapi.yaml', () => {
  it('is accepted by an OpenAPI validator', async () => {
    const { body } = await http('GET', '/openapi.yaml');
    expect(await new Validator().validate(body)).to.deep.include({ valid: true });
  });

  it('has every HTTP call', async () => {
    const { paths } = parse((await http('GET', '/openapi.yaml')).body);
    for (const { method, path } of routes) expect(paths[path]).to.have.property(method.toLowerCase());
  });
});

describe('the pages of the documents', () => {
  for (const path of ['/docs/', '/api/'])
    it(`${path} loads everything from this server`, async () => {
      const { status, headers, body } = await http('GET', path);
      expect([status, headers.get('content-type')]).to.deep.equal([200, 'text/html; charset=utf-8']);
      expect(headers.get('content-security-policy')).to.include("default-src 'self'");
      const links = [...body.matchAll(/(?:src|href|schemaUrl|cssImportPath)="([^"]+)"/g)].map(
        ([, link]) => link,
      );
      expect(links.length).to.be.at.least(3);
      for (const link of links) {
        const asset = await http('GET', new URL(link, `http://here${path}`).pathname);
        expect([link, asset.status]).to.deep.equal([link, 200]);
        expect(asset.headers.get('content-type')).to.match(/javascript|css|yaml/);
      }
    });

  it('are found from the root and without a slash, and are not sent twice', async () => {
    expect((await http('GET', '/')).headers.get('location')).to.equal('/docs/');
    expect((await http('GET', '/docs')).headers.get('location')).to.equal('/docs/');
    expect((await http('GET', '/api')).headers.get('location')).to.equal('/api/');
  });
});
