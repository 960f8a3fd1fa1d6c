import type { TSchema } from 'typebox';
import { stringify } from 'yaml';
import type { Command } from '../commands/define.ts';
import { VERSION } from '../version.ts';
import { commandTable, factsOf } from './commandTable.ts';
import { type Examples, messageNames, UNREADABLE } from './examples.ts';
import { introduction } from './introduction.ts';
import {
  errorSchema,
  HEAVY,
  partSchemas,
  plain,
  pushSchema,
  replySchema,
  requestSchema,
  unreadableErrorSchema,
} from './schemas.ts';

const CHANNEL = { $ref: '#/channels/socket' };

/**
 * Generates the AsyncAPI 3.0 document (https://www.asyncapi.com/docs/reference/specification/v3.0.0) of all commands as
 * YAML.
 */
export function asyncapiDocument(registry: Iterable<Command>, examples: Examples): string {
  const commands = [...registry];
  const messages = Object.fromEntries(
    [...commands.flatMap(messagesOf), unreadable].map((message) => [
      message.name,
      describe(message, examples.frames[message.name] ?? []),
    ]),
  );
  const schemas = Object.entries(partSchemas(commands)).map(([name, schema]) => [name, plain(schema)]);
  return stringify(
    {
      asyncapi: '3.0.0',
      id: 'urn:parley:messenger',
      info: {
        title: 'Parley',
        version: VERSION,
        description: `${introduction()}\n\n${commandTable(commands)}`,
        license: { name: 'MIT', url: 'https://opensource.org/license/mit' },
        tags: [{ name: 'messenger' }],
      },
      defaultContentType: 'application/json',
      servers: {
        local: {
          host: 'localhost:3000',
          protocol: 'ws',
          description: 'A server started with `npm start`. With TLS, the same frames use `wss`.',
          security: Object.keys(securitySchemes).map((name) => ({
            $ref: `#/components/securitySchemes/${name}`,
          })),
        },
      },
      channels: {
        socket: {
          address: '/',
          title: 'The WebSocket',
          summary: 'Carries all commands and pushes. `/ws` is an alias, for proxies that route by path.',
          messages: Object.fromEntries(
            Object.keys(messages).map((name) => [name, { $ref: `#/components/messages/${name}` }]),
          ),
        },
      },
      operations: {
        ...Object.fromEntries(commands.flatMap(operationsOf)),
        [UNREADABLE]: send(
          'Error reply to a frame that is not a request, or whose type is unknown',
          UNREADABLE,
        ),
      },
      components: {
        messages,
        schemas: Object.fromEntries(schemas),
        correlationIds: { request: { description: 'Present if the request has an id', location: ID } },
        securitySchemes,
      },
    },
    { aliasDuplicateObjects: false, blockQuote: 'literal', lineWidth: 110 },
  );
}

/** Location of the id that a reply has in common with its request. */
const ID = '$message.payload#/id';

interface Message {
  readonly name: string;
  readonly title: string;
  readonly schema: TSchema;
  /** True if it has an `id` that pairs it with another message. */
  readonly paired: boolean;
}

function messagesOf(command: Command): Message[] {
  const { type, push } = command;
  const names = messageNames(type);
  const all = [
    { name: names.request, title: `Request ${type}`, schema: requestSchema(command), paired: true },
    { name: names.reply, title: `Reply to ${type}`, schema: replySchema(command), paired: true },
    { name: names.error, title: `Error reply to ${type}`, schema: errorSchema(command), paired: true },
  ];
  if (push) all.push({ name: names.push, title: `Push ${type}`, schema: pushSchema(command), paired: false });
  return all;
}

const unreadable: Message = {
  name: UNREADABLE,
  title: 'Error reply to an unreadable frame',
  schema: unreadableErrorSchema(),
  paired: true,
};

function describe({ name, title, schema, paired }: Message, frames: readonly object[]): object {
  return {
    name,
    title,
    ...(paired && { correlationId: { $ref: '#/components/correlationIds/request' } }),
    payload: plain(schema),
    examples: frames.map((payload) => ({ ...('code' in payload && { name: payload.code }), payload })),
  };
}

function operationsOf(definition: Command): [string, object][] {
  const { type, summary, description, cost, isHeavy, push } = definition;
  const names = messageNames(type);
  const weight = cost > 1 && `Counts as ${cost} commands against the rate limit.`;
  const text = [description, weight, isHeavy && HEAVY].filter(Boolean).join('\n\n');
  const command = {
    action: 'receive',
    channel: CHANNEL,
    summary,
    ...(text && { description: text }),
    messages: [inChannel(names.request)],
    reply: { channel: CHANNEL, messages: [inChannel(names.reply), inChannel(names.error)] },
    'x-parley': factsOf(definition),
  };
  return push
    ? [
        [type, command],
        [names.push, send(push.summary, names.push)],
      ]
    : [[type, command]];
}

function send(summary: string, message: string): object {
  return { action: 'send', channel: CHANNEL, summary, messages: [inChannel(message)] };
}

function inChannel(message: string): object {
  return { $ref: `#/channels/socket/messages/${message}` };
}

const securitySchemes = {
  header: {
    type: 'http',
    scheme: 'bearer',
    bearerFormat: 'JWT',
    description: '`Authorization: Bearer <token>`; takes precedence over the others.',
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
    description: '`?token=<token>`, for all other clients.',
  },
};
