import { type TSchema, Type } from 'typebox';
import type { Command, CommandDescription } from '../src/commands/define.ts';
import { namedTypes } from '../src/docs/pages/namedTypes.ts';
import { COMMON_ERRORS } from '../src/docs/schemas.ts';
import { createTypeNames, type Schema, type TypeNames, without } from '../src/docs/typeNames.ts';
import { Cursor, NextCursor } from '../src/protocol/cursor.ts';
import { errorCodes } from '../src/protocol/errors.ts';
import { Account } from '../src/protocol/schema/accounts.ts';
import { ChatAddress, ChatState } from '../src/protocol/schema/chats.ts';
import { Consumer, Event, EventCursor, EventType } from '../src/protocol/schema/events.ts';
import { Audience, Group, GroupSettings, groupEvent, Role } from '../src/protocol/schema/groups.ts';
import {
  ChangedMeanwhile,
  ChangedMessage,
  Emoji,
  Mentions,
  MessageAddress,
  ReactionCount,
  SendOptions,
  SendReply,
  SentExtras,
  Version,
} from '../src/protocol/schema/messages.ts';
import { ProfileVersion } from '../src/protocol/schema/people.ts';
import { AccountOfHost, ServiceUser, UserReference } from '../src/protocol/schema/service.ts';
import {
  ClientMessageId,
  Content,
  Custom,
  CustomFilter,
  Id,
  Limit,
  MessageKind,
  Page,
  Sent,
  Seq,
  Time,
  UserName,
} from '../src/protocol/schema/types.ts';

/** The name that a row of `listLastMessage` has in the documents: in the client, a `ChatSummary` is part of the view. */
const ROW = 'ChatSummary';

/** Returns a schema as plain JSON, without formats, whose long descriptions are in the documents. */
function plain(schema: TSchema): Schema {
  return JSON.parse(
    JSON.stringify(schema, (name, value) => {
      if (name === 'keptAsGiven' || (name === 'format' && typeof value === 'string')) return undefined;
      return name === 'title' && value === ROW ? 'ChatRow' : value;
    }),
  );
}

const { role: _, groupId: __, ...groupFields } = Group.properties;
const { groupName: ___, ...groupSettings } = GroupSettings;
/** Types of params. */
const INPUTS = [...['GroupSettings', 'PageParams', 'NumberedPageParams', 'SendOptions'], 'AccountOfHost'];

/** Returns a type with a name. */
const named = (title: string, description: string, schema: TSchema): Schema => ({
  ...plain(schema),
  title,
  description,
});

/** Types with a name: those of the documents, and those that several others extend. */
const NAMED: readonly Schema[] = [
  ...[...namedTypes, ReactionCount].map(plain),
  named('GroupFields', 'The properties of a group', Type.Object(groupFields)),
  named('GroupSettings', 'The settings of a group', Type.Object(groupSettings)),
  named('ChatState', 'The state of a user in a chat', Type.Object(ChatState)),
  named('PageParams', 'The page of a list', Type.Object({ limit: Limit, cursor: Cursor })),
  named('NumberedPageParams', 'The page of a history', Type.Object({ limit: Limit, page: Page })),
  named('SendOptions', 'Options of a message to send', Type.Object(SendOptions)),
  named('StoredMessage', 'The place in which a message was stored', Sent),
  named('SendResult', 'The result of sending a message', SendReply),
  named(
    'ChangedMessage',
    'A message that was changed, in the reply to its change',
    Type.Object(ChangedMessage),
  ),
  named(
    'MessageAddress',
    'A message that was changed, in the push of its change',
    Type.Object(MessageAddress),
  ),
  named(
    'LateMessage',
    'Fields of a message that is pushed late, because a node missed it, if it was changed in between',
    Type.Object(ChangedMeanwhile),
  ),
  named(
    'MessageExtras',
    'Fields that the push of a message has if the message has them',
    Type.Object(SentExtras),
  ),
  named('PushedChat', 'The chat of a push, and the acting user', Type.Object(ChatAddress)),
  named('GroupEvent', 'A system message of a group', groupEvent({})),
  named('Account', 'An account, as its user sees it', Account),
];

const { command: ____, state: _____, ...eventFields } = Event.properties;

/** Types with a name of which only service commands know. */
const SERVICE_NAMED: readonly Schema[] = [
  ...[AccountOfHost, ServiceUser].map(plain),
  named('EventFields', 'Fields of every event', Type.Object(eventFields)),
];

const ALL_NAMED = [...NAMED, ...SERVICE_NAMED, plain(UserReference), plain(Event)];
const TYPE_NAMES = createTypeNames(ALL_NAMED);
const { exactName } = TYPE_NAMES;

/** Returns the type of one of these values. */
const choice = (values: readonly unknown[]): string =>
  values.map((value) => JSON.stringify(value)).join(' | ');

/** A type of a value that has its description once, at its declaration. */
interface Value {
  readonly name: string;
  readonly schema: Schema;
  readonly type: string;
}

const VALUES: readonly Value[] = [
  { name: 'UserId', schema: plain(Id.user), type: 'number' },
  { name: 'GroupId', schema: plain(Id.group), type: 'number' },
  { name: 'MessageId', schema: plain(Id.message), type: 'number' },
  { name: 'UserName', schema: plain(UserName), type: 'string' },
  { name: 'ClientMessageId', schema: plain(ClientMessageId), type: 'string' },
  { name: 'Limit', schema: plain(Limit), type: 'number' },
  { name: 'Emoji', schema: plain(Emoji), type: 'string' },
  { name: 'Content', schema: plain(Content), type: 'string' },
  { name: 'Mentions', schema: plain(Mentions), type: 'UserId[]' },
  { name: 'MessageKind', schema: plain(MessageKind), type: choice(MessageKind.enum) },
  { name: 'Role', schema: plain(Role), type: choice(Role.enum) },
  { name: 'Audience', schema: plain(Audience), type: choice(Audience.enum) },
  { name: 'Time', schema: plain(Time), type: 'string' },
  { name: 'Seq', schema: plain(Seq), type: 'number' },
  { name: 'CustomData', schema: plain(Custom), type: 'Readonly<Record<string, unknown>>' },
  { name: 'CustomFilter', schema: plain(CustomFilter), type: 'CustomData' },
  { name: 'MessageVersion', schema: plain(Version), type: 'number' },
  { name: 'ProfileVersion', schema: plain(ProfileVersion), type: 'number' },
  { name: 'NextCursor', schema: plain(NextCursor), type: 'string | null' },
];

const SERVICE_VALUES: readonly Value[] = [
  { name: 'EventType', schema: plain(EventType), type: choice(EventType.enum) },
  { name: 'EventCursor', schema: plain(EventCursor), type: 'string' },
  { name: 'Consumer', schema: plain(Consumer), type: 'string' },
];

const VALUE_NAMES = new Map(
  [...VALUES, ...SERVICE_VALUES].map(({ name, schema }) => [JSON.stringify(schema), name]),
);
const valueName = (schema: Schema) => VALUE_NAMES.get(JSON.stringify(schema));

/**
 * Returns the source of src/client/commands.ts: the types of all params, results and pushes, with their descriptions. The
 * client does not infer them from the schemas, so that its declarations refer to nothing else.
 */
export function clientTypesSource(registry: Iterable<Command>): string {
  const commands = [...registry];
  return [
    '/* The types of the frames, written by `npm run docs` from the definitions of the commands. Do not edit. */\n',
    CHAT_ADDRESS,
    ...VALUES.map(declareValue),
    errorCodeTypes(),
    ...NAMED.map(declareNamed),
    PUSH_FIELDS,
    RESULTS,
    ...commands.flatMap(typesOf),
    ...indexesOf(commands, { commands: 'Commands', pushes: 'Pushes' }),
  ].join('\n');
}

/**
 * Returns the source of src/client/service/commands.ts: the types of service commands, as far as those of the client do not
 * contain them, and the names of `userCommands` that cannot be sent with `as`, and that can be sent as the owner.
 */
export function serviceTypesSource(
  registry: Iterable<CommandDescription>,
  userCommands: Iterable<CommandDescription>,
): string {
  const commands = [...registry];
  const users = [...userCommands];
  const namesOf = (chosen: (command: CommandDescription) => unknown) =>
    choice(users.filter(chosen).map(({ type }) => type));
  const types = [
    ...SERVICE_VALUES.map(declareValue),
    USER_REFERENCE,
    ...SERVICE_NAMED.map(declareNamed),
    EVENT,
    ...commands.flatMap(typesOf),
    ...indexesOf(
      commands,
      { commands: 'ServiceCommands', pushes: 'ServicePushes' },
      `\`CommonErrorCode\` of \`@parley-chat/client\``,
    ),
    `/** The commands of users that are about their own connection, and cannot be sent for them. */
export type ConnectionCommandName = ${namesOf(({ isOfConnection }) => isOfConnection)};
/** The commands of users by which the owner of a group manages it. */
export type OwnerCommandName = ${namesOf(({ managesGroup }) => managesGroup)};
`,
  ].join('\n');
  const code = types.replaceAll(/\/\*\*.*?\*\//gs, '');
  const shared = [...VALUES.map(({ name }) => name), ...NAMED.map(({ title }) => title), ...SHARED].filter(
    (name) => new RegExp(`\\b${name}\\b`).test(code),
  );
  return [
    `import type { ${shared.sort().join(', ')} } from '../commands.ts';\n`,
    '/* The types of service commands, written by `npm run docs` from their definitions. Do not edit. */\n',
    types,
  ].join('\n');
}

/** Types of the client that have no schema. */
const SHARED = ['Data', 'Page', 'Pushes'];

const USER_REFERENCE = `/** A user: by the id in Parley, or by the one at the host. */
export type UserReference =
  | { readonly userId: UserId; readonly externalId?: never }
  | { readonly externalId: string; readonly userId?: never };
`;

const EVENT = `/** An event whose \`state\` has the params of a push, of which \`command\` is the type. */
interface EventOf<Command, State> extends EventFields {
  command: Command;
  state: State;
}

type TextName = 'messageInGroup' | 'privateMessage';

/**
 * An event. With \`command\` \`messageInGroup\` or \`privateMessage\` it is a message that a user wrote. In the present state: a
 * message that was deleted since has no content.
 */
export type Event =
  | { [Name in TextName]: EventOf<Name, Omit<Pushes[Name], 'data'>> }[TextName]
  | EventOf<Exclude<keyof Pushes, TextName> | null, Readonly<Record<string, unknown>>>;
`;

function declareValue({ name, schema, type }: Value): string {
  return `${comment(describe(schema, true))}export type ${name} = ${type};\n`;
}

function declareNamed(type: Schema): string {
  const { title = '', description } = type;
  return declare(title, `${description}.`, type, { isInput: INPUTS.includes(title) });
}

/** Returns the types of all commands and of all pushes by name. */
function indexesOf(
  commands: readonly CommandDescription[],
  names: { readonly commands: string; readonly pushes: string },
  commonCodes = '{@link CommonErrorCode}',
): string[] {
  return [
    declareIndex(
      names.commands,
      `The commands by name, each with its params and the \`params\` of its reply. A ${commonCodes} may refuse each of them; the other codes are listed.`,
      commands.map((command) =>
        property(
          command.type,
          `{ params: ${namesOf(command).params}; result: ${resultOf(command)} }`,
          textOf(command),
        ),
      ),
    ),
    declareIndex(
      names.pushes,
      'The `params` of the pushes by name.',
      commands.filter(({ push }) => push).map((command) => property(command.type, namesOf(command).push, [])),
    ),
  ];
}

const CHAT_ADDRESS = `/** The dialog with a person. */
export interface DialogAddress {
  readonly receiverId: number;
  readonly groupId?: never;
}

/** A group. */
export interface GroupAddress {
  readonly groupId: number;
  readonly receiverId?: never;
}

/** A chat: the dialog with a person, or a group. */
export type ChatAddress = DialogAddress | GroupAddress;
`;

const PUSH_FIELDS = `/** Fields of every push. */
export interface PushFields {
  data: null;
  /** The content of a message, or a sentence that describes the event. */
  message: string | null;
  /** The username of the acting user. */
  senderName: string;
}

/** Fields of every push that is a message. */
export interface MessagePushFields extends PushFields {
  /** The content of the message, or a sentence that describes the event. */
  message: string;
}
`;

function errorCodeTypes(): string {
  const codes = Object.entries(errorCodes);
  const list = codes.map(([code, { summary }]) => ` * - \`${code}\`: ${summary}.\n`);
  const names = codes.map(([code]) => `\n  | '${code}'`);
  return `/**\n * A code of the server:\n${list.join('')} */\nexport type ServerErrorCode =${names.join('')};

/** The codes that every command can be refused with, in addition to its own. */
export type CommonErrorCode = ${COMMON_ERRORS.map((code) => `'${code}'`).join(' | ')};
`;
}

/** Returns what a command does, and the codes with which it can be refused. */
function textOf({ summary, description, errors }: CommandDescription): string[] {
  return [
    `${summary}.`,
    ...(description ? [shortened(description)] : []),
    ...(errors.length > 0 ? [`Refused with ${errors.join(', ')}.`] : []),
  ];
}

/** Characters of a description in an editor; the page of the command in the documents has the rest. */
const LONGEST = 200;

/** Returns the first sentences of a text, at least one. */
function shortened(text: string): string {
  const [first = '', ...others] = text.split(/(?<=\.) /);
  let short = first;
  for (const sentence of others) {
    if (short.length + sentence.length >= LONGEST) break;
    short += ` ${sentence}`;
  }
  return short;
}

/** Returns the names of the types of a command. */
function namesOf({ type }: CommandDescription) {
  const name = type.charAt(0).toUpperCase() + type.slice(1);
  return { params: `${name}Params`, result: `${name}Result`, row: `${name}Row`, push: `${name}Push` };
}

/** Declares the types of a command. An entry of its list has a name, too. */
function typesOf(command: CommandDescription): string[] {
  const { push } = command;
  const names = namesOf(command);
  const result = plain(command.result);
  const row = newRowOf(result);
  return [
    declareParams(names.params, plain(command.params)),
    ...(row ? [declare(names.row, '', row)] : []),
    ...(resultOf(command) === names.result
      ? [declare(names.result, '', result, { row: row && names.row })]
      : []),
    ...(push ? [declarePush(names.push, shortened(`${push.summary}.`), push.fields)] : []),
  ];
}

/** Returns the entries of a list, if their type has no name yet. */
function newRowOf({ properties }: Schema): Schema | undefined {
  const row = properties?.data?.items;
  return row?.properties && !exactName(row) ? row : undefined;
}

/** Returns the type of a result: one of its own, unless others have the same. */
function resultOf(command: CommandDescription): string {
  const result = plain(command.result);
  const { result: name, row } = namesOf(command);
  const { data, ...others } = result.properties ?? {};
  const [other, ...more] = Object.keys(others);
  if (data && more.length === 0) {
    const type = newRowOf(result) ? `${row}[]` : typeOf(data);
    const isNamed = data.items || exactName(data);
    if (!other && (isNamed || !data.description) && !type.includes('{')) return `Data<${type}>`;
    if (other === 'nextCursor') return `Page<${type.slice(0, -'[]'.length)}>`;
  }
  const { parents, own } = partsOf(result, TYPE_NAMES);
  const isOwn = Object.keys(own.properties ?? {}).length > 0 || parents.length > 1;
  const [shared = 'object'] = parents;
  return isOwn ? name : shared;
}

const RESULTS = `/** A result that is a value. */
export interface Data<Value> {
  data: Value;
}

/** A page of a list. */
export interface Page<Entry> extends Data<Entry[]> {
  nextCursor: NextCursor;
}
`;

function declareParams(name: string, schema: Schema): string {
  if (!schema.oneOf && Object.keys(schema.properties ?? {}).length === 0)
    return `export type ${name} = Record<string, never>;\n`;
  if (!schema.oneOf) return declare(name, '', schema, { isInput: true });
  const { receiverId: _, groupId: __, ...properties } = schema.properties ?? {};
  const { parents, own } = partsOf({ ...schema, properties }, TYPE_NAMES);
  const body = Object.keys(own.properties ?? {}).length > 0 ? [bodyOf(own, { isInput: true })] : [];
  return `export type ${name} = ${['ChatAddress', ...parents, ...body].join(' & ')};\n`;
}

function declarePush(name: string, text: string, fields: TSchema): string {
  const schema: Schema = plain(fields);
  if (schema.properties?.senderName) return declare(name, text, schema); // not of a user
  const parent = schema.properties?.createdAt ? 'MessagePushFields' : 'PushFields';
  return declare(name, text, schema, { parent });
}

interface Options {
  /** True for params, whose limits are part of the description. */
  readonly isInput?: boolean;
  /** The interface that a declared one extends. */
  readonly parent?: string;
  /** The name of an entry of `data`. */
  readonly row?: string | undefined | false;
}

/** Declares an interface, or an alias of a union. */
function declare(name: string, text: string, schema: Schema, options: Options = {}): string {
  const head = comment([text]);
  if (schema.anyOf) {
    const variants = schema.anyOf.map(
      (one) => `\n  ${indented(comment([one.description ?? '']))}| ${indented(typeOf(one))}`,
    );
    return `${head}export type ${name} =${variants.join('')};\n`;
  }
  const { parents, own } = partsOf(schema, createTypeNames(ALL_NAMED.filter(({ title }) => title !== name)));
  const all = [...(options.parent ? [options.parent] : []), ...parents];
  const extended = all.length > 0 ? ` extends ${all.join(', ')}` : '';
  return `${head}export interface ${name}${extended} ${bodyOf(own, options)}\n`;
}

function declareIndex(name: string, text: string, properties: readonly string[]): string {
  return `${comment([text])}export interface ${name} {\n${properties.join('')}}\n`;
}

/** Returns an object type. */
function bodyOf(
  { properties = {}, required = [], additionalProperties }: Schema,
  { isInput = false, row }: Options = {},
): string {
  const own = Object.entries(properties).map(([name, schema]) => {
    const type = name === 'data' && row ? `${row}[]` : typeOf(schema);
    return property(
      required.includes(name) ? name : `${name}?`,
      type,
      isDescribed(schema) || 'const' in schema ? [] : describe(schema, isInput),
    );
  });
  const others = additionalProperties ? ['  [name: string]: unknown;\n'] : [];
  return own.length + others.length > 0 ? `{\n${[...own, ...others].join('')}}` : '{}';
}

function property(name: string, type: string, text: readonly string[]): string {
  return `  ${indented(`${comment(text)}${name}: ${type};`)}\n`;
}

/** Returns the type of a value. */
function typeOf(schema: Schema): string {
  const name = valueName(schema) ?? exactName(schema);
  if (name) return name;
  if (schema.items) {
    const each = typeOf(schema.items);
    return /^\w+$/.test(each) ? `${each}[]` : `(${each})[]`;
  }
  if (schema.anyOf) return schema.anyOf.map(typeOf).join(' | ');
  if (schema.enum) return choice(schema.enum);
  if ('const' in schema) return JSON.stringify(schema.const);
  if (schema.type === 'integer') return 'number';
  if (schema.type !== 'object') return schema.type ?? 'unknown';
  if (!schema.properties) return 'Readonly<Record<string, unknown>>';
  const { parents, own } = partsOf(schema, TYPE_NAMES);
  return [...parents, ...(Object.keys(own.properties ?? {}).length > 0 ? [bodyOf(own)] : [])].join(' & ');
}

/** Returns the named types that an object extends, and the object without their properties. */
function partsOf(schema: Schema, names: TypeNames): { parents: string[]; own: Schema } {
  const known = names.extendedType(schema);
  if (!known) return { parents: [], own: schema };
  const { parents, own } = partsOf(without(schema, known), names);
  return { parents: [known.name, ...parents], own };
}

/** Returns true if the type of a value has its description. */
function isDescribed(schema: Schema): boolean {
  const value = nonNull(schema);
  const isSame = !schema.description || schema.description === value.description;
  return valueName(schema) !== undefined || (isSame && (valueName(value) ?? exactName(value)) !== undefined);
}

/** Returns the description of a value, of params with its limits. */
function describe(schema: Schema, isInput: boolean): string[] {
  const value = nonNull(schema);
  const text = descriptionOf(schema);
  const limits = isInput ? limitsOf(value) : [];
  const sentences = [...(text ? [text] : []), ...limits].map((sentence) => `${sentence.replace(/\.$/, '')}.`);
  return sentences.length > 0 ? [sentences.join(' ')] : [];
}

/** Returns the schema of a value apart from null. */
function nonNull(schema: Schema): Schema {
  const [value = schema] = schema.anyOf?.filter(({ type }) => type !== 'null') ?? [];
  return value;
}

const descriptionOf = (schema: Schema): string => schema.description ?? nonNull(schema).description ?? '';

function limitsOf({
  minimum,
  maximum,
  minLength = 0,
  maxLength,
  minItems = 0,
  maxItems,
  ...schema
}: Schema): string[] {
  const isBounded = minimum !== undefined && maximum !== undefined && maximum < Number.MAX_SAFE_INTEGER;
  return [
    ...(isBounded ? [`${minimum} to ${maximum}`] : []),
    ...(maxLength === undefined ? [] : [`${minLength} to ${maxLength} characters`]),
    ...(maxItems === undefined ? [] : [`${minItems} to ${maxItems} items`]),
    ...('default' in schema ? [`Default: ${JSON.stringify(schema.default)}`] : []),
  ];
}

/** Returns a doc comment, or nothing if there is no text. */
function comment(lines: readonly string[]): string {
  const text = lines.join(' ').replaceAll('*/', '*\\/');
  return text && `/** ${text} */\n`;
}

const indented = (text: string): string => text.replaceAll('\n', '\n  ');
