import { readFile } from 'node:fs/promises';
import { Validator } from '@seriousme/openapi-schema-validator';
import { expect } from 'chai';
import { Type } from 'typebox';
import { WebSocket } from 'ws';
import { parse } from 'yaml';
import { registry } from '../../src/commands/registry.ts';
import { serviceRegistry } from '../../src/commands/service/registry.ts';
import { asyncapiDocument, asyncapiServiceDocument } from '../../src/docs/asyncapi.ts';
import { examples } from '../../src/docs/examples.ts';
import { protocol } from '../../src/docs/guides.ts';
import { createComponents, socketErrors } from '../../src/docs/schemas.ts';
import { yamlOf } from '../../src/docs/yaml.ts';
import { routes } from '../../src/http/routes.ts';
import { errorCodes } from '../../src/protocol/errors.ts';
import { builtFile } from '../support/builtFile.ts';
import { http, newUser, server } from '../support/harness.ts';
import { violations } from '../support/violations.ts';

/** A part of a schema that the tests look at. */
interface Schema {
  readonly $ref?: string;
  readonly description?: string;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly items?: Schema;
  readonly allOf?: readonly Schema[];
  readonly anyOf?: readonly Schema[];
  readonly enum?: readonly string[];
}

const propertiesOf = ({ properties = {} }: Schema) => Object.entries(properties);

/** The names of all messages that were recorded, with one for all errors. */
const messageNames = [...Object.keys(examples.frames).filter((name) => !name.endsWith('Error')), 'error'];

interface Message {
  readonly correlationId?: object;
  readonly payload: Schema;
  readonly examples: { readonly payload: object }[];
}

describe('docs/asyncapi-service.yaml', () => {
  const text = asyncapiServiceDocument(serviceRegistry.values(), examples);

  it('is the output of `npm run docs` for the current definitions, and is served', async () => {
    expect(await readFile('docs/asyncapi-service.yaml', 'utf8')).to.equal(text);
    expect((await http('GET', '/asyncapi-service.yaml')).body).to.equal(text);
  });

  it('has every service command with its scope, its messages and nothing that it does not define', () => {
    const document = parse(text);
    for (const { type, scope } of serviceRegistry.values()) {
      expect(document.operations[type]['x-parley'].scope, type).to.equal(scope);
      expect(document.channels.socket.messages).to.include.keys(`${type}Request`, `${type}Reply`);
    }
    for (const [, name = ''] of text.matchAll(/#\/components\/schemas\/(\w+)/g))
      expect(document.components.schemas, name).to.have.property(name);
  });
});

describe('the examples of service commands', () => {
  const { channels, components } = parse(asyncapiServiceDocument(serviceRegistry.values(), examples));

  it('are there for every message, and fit its schema', () => {
    for (const [name, message] of Object.entries<Message>(channels.socket.messages)) {
      expect(message.examples, name).not.to.deep.equal([]);
      for (const { payload } of message.examples)
        expect(violations(message.payload, components, payload), JSON.stringify(payload)).to.equal(null);
    }
  });
});

describe('asyncapi.yaml', () => {
  const document = parse(asyncapiDocument(registry.values(), examples));

  it('is the output of `npm run docs` for the current definitions', async () => {
    expect(await readFile('asyncapi.yaml', 'utf8')).to.equal(asyncapiDocument(registry.values(), examples));
  });

  it('has every command with its request, reply and error, and every push', () => {
    const { operations, channels } = document;
    const ref = (name: string) => ({ $ref: `#/channels/socket/messages/${name}` });
    for (const { type, push } of registry.values()) {
      expect(operations[type].action).to.equal('receive');
      expect(operations[type].messages).to.deep.equal([ref(`${type}Request`)]);
      expect(operations[type].reply.messages).to.deep.equal([ref(`${type}Reply`), ref('error')]);
      if (push) expect(operations[`${type}Push`]).to.deep.include({ action: 'send', summary: push.summary });
    }
    expect(channels.socket.messages).to.have.all.keys(messageNames);
  });

  it('has the facts and the errors of every command, with its operation', () => {
    const { operations } = document;
    for (const { type, reads, repeatable, storesMessage, ordered, cost, errors } of registry.values()) {
      const facts = { reads, repeatable, storesMessage, ordered, cost, errors };
      expect(operations[type]['x-parley']).to.deep.equal(facts);
    }
    const { enum: codes } = document.components.schemas.ErrorCode;
    expect(codes).to.have.members([...socketErrors([...registry.values()])]);
  });

  it('has a name for every object, and refers to it', () => {
    const { components } = document;
    expect(components.schemas).to.include.all.keys(
      ...['Message', 'ChatSummary', 'Profile', 'Group', 'Member', 'Invite', 'Presence', 'Error', 'ErrorCode'],
    );
    const payloads = Object.entries<Message>(document.channels.socket.messages).map(([name, message]) => {
      if (name !== 'error')
        expect(message.payload).to.have.property('title', name.charAt(0).toUpperCase() + name.slice(1));
      return message.payload;
    });
    for (const schema of [...Object.values(components.schemas), ...payloads])
      for (const [path, property] of propertiesOf(schema as Schema))
        for (const part of [property, property.items, ...(property.anyOf ?? [])])
          expect(part?.properties ?? part?.enum, `${path} ${JSON.stringify(schema)}`).to.equal(undefined);
  });

  it('describes every schema and every property', () => {
    const schemas: Record<string, Schema> = document.components.schemas;
    const named = ({ $ref }: Schema) => ($ref ? schemas[$ref.split('/').at(-1) ?? ''] : undefined);
    const isDescribed = (property: Schema | undefined): boolean =>
      property !== undefined && (property.description !== undefined || isDescribed(named(property)));
    const all = [
      ...Object.entries(schemas),
      ...Object.entries<Message>(document.channels.socket.messages).map(
        ([name, { payload }]) => [name, payload] as [string, Schema],
      ),
    ];
    for (const [name, schema] of Object.entries(schemas)) expect(schema.description, name).to.be.a('string');
    for (const [name, schema] of all)
      for (const [path, property] of propertiesOf(schema)) {
        const inherited = (schema.allOf ?? []).map((base) => named(base)?.properties?.[path]);
        expect([property, ...inherited].some(isDescribed), `${name}.${path}`).to.equal(true);
      }
  });

  it('is small enough to read', () => {
    expect(Buffer.byteLength(asyncapiDocument(registry.values(), examples))).to.be.below(200_000);
  });

  it('begins with a frame of each kind, and says what pairs a reply with its request', () => {
    const { info, channels } = document;
    const frames = [...info.description.matchAll(/^ {4}(\{.*)$/gm)].map(([, line]) => JSON.parse(line));
    const kinds = [
      'messageInGroupRequest',
      'messageInGroupReply',
      'messageInGroupPush',
      'messageInGroupError',
    ];
    expect(frames).to.deep.equal(kinds.map((name) => examples.frames[name]?.[0]));
    for (const [name, { correlationId }] of Object.entries<Message>(channels.socket.messages))
      expect(correlationId, name).to.deep.equal(
        name.endsWith('Push') ? undefined : { location: '$message.payload#/id' },
      );
  });

  it('refuses two different schemas with one name', () => {
    const { plain } = createComponents();
    const named = (description: string) => Type.Object({}, { title: 'Thing', description });
    expect(plain(named('one'))).to.deep.equal({ $ref: '#/components/schemas/Thing' });
    expect(plain(named('one'))).to.deep.equal({ $ref: '#/components/schemas/Thing' });
    expect(() => plain(named('other'))).to.throw('two different schemas have the name Thing');
  });

  it('has an example for every message, and every example fits its schema', () => {
    const { channels, components } = document;
    for (const [name, message] of Object.entries<Message>(channels.socket.messages)) {
      expect(message.examples, name).not.to.deep.equal([]);
      for (const { payload } of message.examples)
        expect(violations(message.payload, components, payload), JSON.stringify(payload)).to.equal(null);
    }
  });

  it('is what a server shows', async () => {
    const { body } = await http('GET', '/asyncapi.yaml');
    expect(body).to.equal(asyncapiDocument(registry.values(), examples));
  });
});

describe('the YAML of the documents', () => {
  it('has text in quotes where a parser for Python or Go, or of YAML 1.1, would read something else', () => {
    const value = {
      a: 'Why?',
      b: '2026-01-01T12:00:00.000Z',
      c: 'yes',
      d: 'x: y',
      e: [1, null, 'plain text'],
    };
    expect(yamlOf(value)).to.equal(
      '{a: "Why?", b: "2026-01-01T12:00:00.000Z", c: "yes", d: "x: y", e: [1, null, plain text]}\n',
    );
  });
});

describe('docs/protocol.md', () => {
  it('has a first client that works as pasted, with the typed client and without', async () => {
    const user = await newUser();
    const [typed = '', byHand = ''] = [...protocol().matchAll(/```js\n(.*?)```/gs)].map(([, script = '']) =>
      script
        .replace("'http://localhost:3000/client.js'", `'${builtFile('dist/browser/client.js')}'`)
        .replaceAll('localhost:3000', `127.0.0.1:${server.port}`)
        .replace("'Ada'", `'${user.username}'`)
        .replace("'correct horse'", `'${user.password}'`),
    );
    const { WebSocket: native } = globalThis;
    Object.assign(globalThis, { WebSocket });
    const run = (script: string) => import(`data:text/javascript,${encodeURIComponent(script)}`);
    const { client, seq } = await run(`${typed}; export { client, seq };`);
    const other = await run(`${byHand}; export { seq, socket };`);
    Object.assign(globalThis, { WebSocket: native });
    client.close();
    other.socket.close();
    expect([seq, other.seq]).to.deep.equal([2, 2]); // after the creation of the group
  });
});

describe('openapi.yaml', () => {
  it('is accepted by an OpenAPI validator', async () => {
    const { body } = await http('GET', '/openapi.yaml');
    expect(await new Validator().validate(body)).to.deep.include({ valid: true });
  });

  it('has every HTTP call with its successes and errors', async () => {
    const { paths } = parse((await http('GET', '/openapi.yaml')).body);
    for (const { method, path, success, errors, authenticated } of routes) {
      const operation = paths[path][method.toLowerCase()];
      expect(operation.responses).to.include.all.keys(Object.keys(success));
      for (const code of errors)
        expect(operation.responses[errorCodes[code].status].description).to.include(code);
      expect(operation.security).to.deep.equal(authenticated && [{ token: [] }]);
    }
  });

  it('has the header Retry-After of each answer after which a call may be repeated, and of no other', async () => {
    const { paths } = parse((await http('GET', '/openapi.yaml')).body);
    for (const { method, path } of routes) {
      const { responses } = paths[path][method.toLowerCase()];
      for (const [status, { headers = {} }] of Object.entries<{ headers?: object }>(responses))
        expect(Object.keys(headers), `${method} ${path} ${status}`).to.deep.equal(
          ['429', '503'].includes(status) ? ['Retry-After'] : [],
        );
    }
  });

  it('has schemas that fit the current calls', async () => {
    const { paths, components } = parse((await http('GET', '/openapi.yaml')).body);
    for (const [name, calls] of Object.entries(examples.calls)) {
      const [method = '', path = ''] = name.split(' ');
      const { requestBody, responses } = paths[path][method.toLowerCase()];
      for (const { body, status, answer } of calls) {
        const sent = requestBody?.content['application/json'].schema;
        if (status < 300 && body) expect(violations(sent, components, body), name).to.equal(null);
        const got = responses[status].content?.['application/json'].schema;
        if (answer) expect(violations(got, components, answer), `${name} ${status}`).to.equal(null);
        else expect(got, `${name} ${status}`).to.equal(undefined);
      }
    }
  });
});

describe('the pages of the documents', () => {
  it('are found without a trailing slash', async () => {
    expect((await http('GET', '/docs')).headers.get('location')).to.equal('docs/');
    expect((await http('GET', '/api')).headers.get('location')).to.equal('api/');
  });

  it('are not sent again to a browser that has cached them', async () => {
    for (const path of [
      '/docs/',
      '/docs/commands/ping',
      '/docs/search.json',
      '/api/',
      '/asyncapi.yaml',
      '/openapi.yaml',
    ]) {
      const etag = (await http('GET', path)).headers.get('etag') ?? '';
      const again = await fetch(server.url + path, { headers: { 'if-none-match': etag } });
      expect([again.status, await again.text()], path).to.deep.equal([304, '']);
    }
  });
});
