import type { TSchema } from 'typebox';
import { stringify } from 'yaml';
import type { Command } from '../commands/define.ts';
import { type Examples, messageNames, UNREADABLE } from './examples.ts';
import { introduction } from './introduction.ts';
import {
  errorSchema,
  plain,
  pushSchema,
  replySchema,
  requestSchema,
  unreadableErrorSchema,
} from './schemas.ts';
import { VERSION } from './version.ts';

const CHANNEL = { $ref: '#/channels/socket' };

/** The AsyncAPI 3.0 document (https://www.asyncapi.com/docs/reference/specification/v3.0.0) of all commands, as YAML. */
export function asyncapiDocument(commands: Iterable<Command>, examples: Examples): string {
  const list = [...commands];
  const messages = Object.fromEntries(
    [
      ...list.flatMap(messagesOf),
      [UNREADABLE, unreadableErrorSchema, 'A frame that names no command'] as const,
    ].map(([name, schema, title]) => [name, message(name, schema, title, examples[name] ?? [])]),
  );
  return stringify(
    {
      asyncapi: '3.0.0',
      id: 'urn:parley:messenger',
      info: {
        title: 'Parley',
        version: VERSION,
        description: introduction,
        license: { name: 'MIT', url: 'https://opensource.org/license/mit' },
        tags: [{ name: 'messenger' }],
      },
      defaultContentType: 'application/json',
      servers: {
        local: {
          host: 'localhost:3000',
          protocol: 'ws',
          description:
            'A server started with `npm start`. The same frames go over `wss` behind a proxy with TLS.',
          security: Object.keys(securitySchemes).map((name) => ({
            $ref: `#/components/securitySchemes/${name}`,
          })),
        },
      },
      channels: {
        socket: {
          address: '/',
          title: 'The one socket',
          description: 'Everything goes over it. `/ws` is the same, for proxies that route by path.',
          messages: Object.fromEntries(
            Object.keys(messages).map((name) => [name, { $ref: `#/components/messages/${name}` }]),
          ),
        },
      },
      operations: Object.fromEntries(list.flatMap(operationsOf)),
      components: { messages, securitySchemes },
    },
    { aliasDuplicateObjects: false, lineWidth: 110 },
  );
}

type NamedSchema = readonly [name: string, schema: TSchema, title: string];

function messagesOf(command: Command): NamedSchema[] {
  const names = messageNames(command.type);
  const { push } = command;
  return [
    [names.request, requestSchema(command), `Request ${command.type}`],
    [names.reply, replySchema(command), `Reply to ${command.type}`],
    [names.error, errorSchema(command), `Refusal of ${command.type}`],
    ...(push ? [[names.push, pushSchema(command.type, push.fields), `Push ${command.type}`] as const] : []),
  ];
}

function message(name: string, schema: TSchema, title: string, payloads: readonly object[]) {
  return { name, title, payload: plain(schema), examples: payloads.map((payload) => ({ payload })) };
}

function operationsOf({ type, summary, description, push }: Command): [string, object][] {
  const names = messageNames(type);
  const ref = (name: string) => ({ $ref: `#/channels/socket/messages/${name}` });
  const operation = {
    action: 'receive',
    channel: CHANNEL,
    summary,
    ...(description && { description }),
    messages: [ref(names.request)],
    reply: { channel: CHANNEL, messages: [ref(names.reply), ref(names.error), ref(UNREADABLE)] },
  };
  const pushed = { action: 'send', channel: CHANNEL, summary: push?.summary, messages: [ref(names.push)] };
  return [[type, operation], ...(push ? [[names.push, pushed] as [string, object]] : [])];
}

const securitySchemes = {
  header: {
    type: 'http',
    scheme: 'bearer',
    bearerFormat: 'JWT',
    description: '`Authorization: Bearer <token>`; looked at first.',
  },
  subprotocol: {
    type: 'httpApiKey',
    in: 'header',
    name: 'Sec-WebSocket-Protocol',
    description:
      '`auth, <token>`, for browsers: `new WebSocket(url, ["auth", token])`. The server answers with `auth`.',
  },
  query: {
    type: 'httpApiKey',
    in: 'query',
    name: 'token',
    description: '`?token=<token>`, for everybody else.',
  },
};
