import type { CommandDescription } from '../commands/define.ts';
import { VERSION } from '../version.ts';
import { type Examples, messageNames, UNREADABLE } from './examples.ts';
import {
  BASES,
  COMMON_ERRORS,
  type Components,
  createComponents,
  errorSchema,
  HEAVY,
  type Payload,
  pascalCase,
  payloadSchema,
  pushOf,
  replyOf,
  requestOf,
  UNREADABLE_ERRORS,
} from './schemas.ts';
import { yamlOf } from './yaml.ts';

const CHANNEL = { $ref: '#/channels/socket' };

/** The parts in which the documents of users and of services differ. */
interface Audience {
  readonly id: string;
  readonly title: string;
  readonly description: string;
  readonly channel: string;
  readonly securitySchemes: Readonly<Record<string, object>>;
}

/**
 * Generates the AsyncAPI 3.0 document (https://www.asyncapi.com/docs/reference/specification/v3.0.0) of all commands as
 * YAML.
 */
export const asyncapiDocument = (registry: Iterable<CommandDescription>, examples: Examples): string =>
  documentOf(registry, examples.frames, {
    id: 'urn:parley:messenger',
    title: 'Parley',
    description: description(examples),
    channel: 'Carries all commands and pushes. `/ws` is an alias, for proxies that route by path.',
    securitySchemes,
  });

/** Generates the document of the service commands. */
export const asyncapiServiceDocument = (registry: Iterable<CommandDescription>, examples: Examples): string =>
  documentOf(registry, examples.services, {
    id: 'urn:parley:service',
    title: 'Parley: service commands',
    description: serviceDescription,
    channel: 'Carries the commands of a service connection. `/ws` is an alias.',
    securitySchemes: serviceSecuritySchemes,
  });

/** Recorded frames by the name of their message. */
type Frames = Examples['frames'];

function documentOf(registry: Iterable<CommandDescription>, frames: Frames, audience: Audience): string {
  const commands = [...registry];
  const components = createComponents(BASES);
  const messages = {
    ...Object.assign({}, ...commands.map((command) => messagesOf(command, frames, components))),
    [ERROR]: {
      correlationId: ID,
      payload: components.plain(errorSchema(commands)),
      examples: errorExamples(commands, frames),
    },
  };
  return yamlOf({
    asyncapi: '3.0.0',
    id: audience.id,
    info: {
      title: audience.title,
      version: VERSION,
      description: audience.description,
      license: { name: 'MIT', url: 'https://opensource.org/license/mit' },
      tags: [{ name: 'messenger' }],
    },
    defaultContentType: 'application/json',
    servers: {
      local: {
        host: 'localhost:3000',
        protocol: 'ws',
        description: 'A server started with `npm start`. With TLS, the same frames use `wss`.',
        security: Object.keys(audience.securitySchemes).map((name) => ({
          $ref: `#/components/securitySchemes/${name}`,
        })),
      },
    },
    channels: {
      socket: { address: '/', title: 'The WebSocket', summary: audience.channel, messages },
    },
    operations: {
      ...Object.fromEntries(commands.flatMap(operationsOf)),
      [UNREADABLE]: {
        ...send('Error reply to a frame that is not a request, or whose type is unknown', ERROR),
        'x-parley': { errors: UNREADABLE_ERRORS },
      },
    },
    components: {
      schemas: components.schemas(),
      securitySchemes: audience.securitySchemes,
    },
  });
}

/** The text with which a backend begins. */
const serviceDescription = `
What a backend does itself, over a WebSocket to which it has connected with an API key, as
\`Authorization: Bearer <key>\`. Operators create keys by \`npm run admin -- key create\`. Such a service connection also
sends the commands of \`/asyncapi.yaml\` for users: with \`as\` beside \`type\`, \`params\` and \`id\`. The section "Service
connections" of the protocol at \`/docs/protocol\` has the rules.

The envelopes are those of \`/asyncapi.yaml\`. Beside the codes of a command, any may be refused with \`FORBIDDEN\`: the key
does not have its \`scope\`, which is in \`x-parley\`.
`.trim();

/** Returns what a client must know in order to begin. */
function description({ frames }: Examples): string {
  const first = (name: string) => JSON.stringify(frames[name]?.[0]);
  const { request, reply, push, error } = messageNames('messageInGroup');
  return `
A messenger over one WebSocket: commands from the client, replies and pushes from the server, each a JSON object in a
text frame. The pages at \`/docs/\` of a server have the whole protocol, with what a client must do after a reconnect,
limits and close codes, and every command with examples. Accounts and tokens are HTTP calls: \`/openapi.yaml\`.

**Connect** to \`ws://host:port/\`, or \`wss\` with TLS, with the token of \`POST /auth/login\`: as
\`Authorization: Bearer <token>\`; in browsers as \`new WebSocket(url, ['auth', token])\`; elsewhere as
\`?token=<token>\`. Without a valid token the upgrade is answered 401.

**Request**, with an \`id\` that the reply has as well; \`params\` may be left out if all of them are optional:

    ${first(request)}

**Reply**: the command took effect, and what it changed is stored. \`params\` always has \`data\`, \`message\` and
\`senderName\`:

    ${first(reply)}

**Push** to every other connection that may see the effect; it has no \`id\`:

    ${first(push)}

**Error reply** instead of a reply. Programs should use \`code\`; \`retryAfter\` is in seconds. The connection stays open:

    ${first(error)}

The \`operations\` are named as seen by the server: it receives commands and sends pushes. \`x-parley\` has the facts of
a command by which clients can decide:

- \`reads\`: it changes nothing and notifies nobody.
- \`repeatable\`: it may be sent again after a broken connection. The second time changes nothing more, and is answered
  like the first.
- \`storesMessage\`: it takes a \`clientMessageId\`. Without one it is not repeatable.
- \`ordered\`: its effect depends on earlier commands about the same chat. If one of them has to be sent again, send
  this one after it.
- \`cost\`: number of commands it counts as against the rate limit.
- \`errors\`: the codes it may be refused with, beside ${COMMON_ERRORS.map((code) => `\`${code}\``).join(', ')}.
`.trim();
}

/** The id that a reply has in common with its request. */
const ID = { location: '$message.payload#/id' };

/** The name of the message that is the error reply to any frame. */
const ERROR = 'error';

function messagesOf(
  command: CommandDescription,
  frames: Frames,
  components: Components,
): Record<string, object> {
  const names = messageNames(command.type);
  const message = (name: string, payload: Payload) => ({
    ...('id' in payload.envelope.properties && { correlationId: ID }),
    payload: payloadSchema(pascalCase(name), payload, components),
    examples: (frames[name] ?? []).slice(0, 1).map((payload) => ({ payload: withFirstRow(payload) })),
  });
  const push = pushOf(command);
  return {
    [names.request]: message(names.request, requestOf(command)),
    [names.reply]: message(names.reply, replyOf(command)),
    ...(push && { [names.push]: message(names.push, push) }),
  };
}

/** Returns a frame with only the first row of a list. */
function withFirstRow(frame: object): object {
  const { params } = frame as { params?: { data?: unknown } };
  if (!Array.isArray(params?.data)) return frame;
  return { ...frame, params: { ...params, data: params.data.slice(0, 1) } };
}

/** Returns an example of each code that was recorded. */
function errorExamples(commands: readonly CommandDescription[], frames: Frames): object[] {
  const names = [...commands.map(({ type }) => messageNames(type).error), UNREADABLE];
  const byCode = new Map<string, object>();
  for (const payload of names.flatMap((name) => frames[name] ?? []))
    if ('code' in payload) byCode.set(String(payload.code), { name: payload.code, payload });
  return [...byCode.values()];
}

function operationsOf(definition: CommandDescription): [string, object][] {
  const {
    type,
    summary,
    description,
    reads,
    repeatable,
    storesMessage,
    ordered,
    cost,
    isHeavy,
    errors,
    push,
    scope,
  } = definition;
  const names = messageNames(type);
  const text = [description, isHeavy && HEAVY].filter(Boolean).join('\n\n');
  const command = {
    action: 'receive',
    channel: CHANNEL,
    summary,
    ...(text && { description: text }),
    messages: [inChannel(names.request)],
    reply: { channel: CHANNEL, messages: [inChannel(names.reply), inChannel(ERROR)] },
    'x-parley': {
      ...{ reads, repeatable, storesMessage, ordered, cost, errors },
      ...(scope !== undefined && { scope }),
    },
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

const serviceSecuritySchemes = {
  header: { type: 'http', scheme: 'bearer', description: '`Authorization: Bearer <key>`' },
};
