import { expect } from 'chai';
import { emptyAccount, recordDeletions } from '../../src/accounts/deleteAccount.ts';
import { statementsByChat, statementsByUser } from '../../src/admin/export.ts';
import { personalData } from '../../src/admin/users.ts';
import { selectMessages } from '../../src/messages/read.ts';
import { tombstones } from '../../src/messages/tombstone.ts';
import { Message } from '../../src/protocol/schema/messages.ts';
import { database } from '../support/harness.ts';

/*
 * A new table or column must be handled in places that the compiler does not check. These tests fail until the new one
 * is handled in each of them, or is listed here with the reason why it need not be.
 */

type Reasons = Readonly<Record<string, string>>;

/** Columns that name a user. */
const NAMES_USER = /^(user_id|user_low|user_high|sender_id|reporter_id|blocked_id|[a-z]+_by)$/;

const NOT_EXPORTED: Reasons = {
  mentions: 'an index of messages of others',
  deletions: 'a task of the server for a deleted account',
  events: 'name what happened to rows that are exported',
};

const NOT_ERASED: Reasons = {
  chats: 'dialogs stay for the other user, without a name; groups stay for their members',
  chat_members: 'groups are left; dialogs stay for the other user',
  messages: 'emptied one by one',
  reactions: 'deleted with their messages; shown as a number',
  bans: 'keep the user out of the group',
  pins: 'belong to the chat',
  mentions: 'an index of messages of others, deleted with them',
  former_members: 'an index for sync: positions, no content',
  deletions: 'a task of the server, deleted when it is done',
  events: 'ids, no content; deleted after EVENT_DAYS',
};

/** Columns of users that a deleted account keeps. */
const KEPT_OF_ACCOUNT: Reasons = {
  id: 'messages name it',
  created_at: 'reveals nothing about the user',
  is_bot: 'reveals nothing about the user',
  is_invisible: 'reveals nothing about the user',
  others_ended_at: 'deleted by `user erase`',
  kept_token_id: 'deleted by `user erase`',
  disabled_at: 'keeps the account disabled',
  external_id: 'keeps tokens of the host from bringing the account back; deleted by `user erase`',
  tokens_ended_at: 'reveals nothing about the user',
  name_xid: 'an index for sync',
  profile_version: 'a counter',
};

/** Columns of messages that a deleted one keeps. */
const KEPT_OF_MESSAGE: Reasons = {
  ...{ id: 'names it', chat_id: 'names it', seq: 'names it', kind: 'names it', sender_id: 'names it' },
  client_message_id: 'a repeat must not be stored again',
  ...{ created_at: 'keeps its position', edited_at: 'keeps its history' },
  ...{ reply_to: 'keeps the thread', forwarded_from: 'names the author', silent: 'counts as before' },
  ...{ tally: 'counts as before', xid: 'when it was stored' },
};

/** Columns of messages that only the server reads, and no client sees. */
const INTERNAL_OF_MESSAGE: Reasons = {
  client_message_id: 'how a repeat is found',
  tally: 'counts unread messages',
  xid: 'an index for sync',
  changed_xid: 'an index for sync',
};

const NOT_EXPORTED_OF_MESSAGE: Reasons = {
  ...INTERNAL_OF_MESSAGE,
  ...{ sender_id: 'the user', kind: 'always text', deleted_at: 'deleted ones are empty' },
  ...{ reply_to: 'of the message of another', forwarded_from: 'of the message of another' },
  ...{ mentions: 'is in the content', silent: 'reveals nothing about the user', version: 'a counter' },
  reactions: 'of others; those of the user are exported separately',
};

/** Tables of parts of a message, or of notes about it, that a tombstone does not change. */
const LEFT_BY_TOMBSTONE: Reasons = {
  messages: 'the tombstone itself',
  reports: 'moderators decide on the reported content',
  message_search_changed: 'made by a trigger of message_search',
  events: 'name the message; what they show of it is read with it',
};

/** Columns of tables that the model does not declare. */
const NOT_IN_MODEL: Readonly<Record<string, Reasons>> = {
  chats: {
    ...{ changed_xid: 'set by triggers', last_message_id: 'read by statements' },
  },
  chat_members: {
    ...{ membership_xid: 'set by triggers', state_xid: 'set by triggers', shown_xid: 'read by statements' },
    ...{ shown_read_seq: 'read by statements', shown_delivered_seq: 'read by statements' },
  },
  messages: { xid: 'set by its default', changed_xid: 'set by statements' },
  users: { name_xid: 'set by a trigger' },
};

interface Column {
  readonly table: string;
  readonly name: string;
}

const camelCase = (column: string): string =>
  column.replaceAll(/_(\w)/g, (_, letter) => letter.toUpperCase());
const hasWord = (text: string, word: string): boolean => new RegExp(`\\b${word}\\b`).test(text);

/** Returns whether a statement updates a column of a table. */
function setBy(statement: string, table: string): (column: string) => boolean {
  const [, assignments = ''] = new RegExp(`update ${table}\\s+set (.*?)\\swhere`, 's').exec(statement) ?? [];
  return (column) => new RegExp(`\\b${column} = `).test(assignments);
}

/** Fails with the names missing in a place, and with listed reasons for names that do not exist or are handled. */
function expectAll(names: readonly string[], isDone: (name: string) => boolean, reasons: Reasons): void {
  expect(
    names.filter((name) => !isDone(name) && !Object.hasOwn(reasons, name)),
    'not dealt with',
  ).to.deep.equal([]);
  expect(
    Object.keys(reasons).filter((name) => !names.includes(name) || isDone(name)),
    'reasons without need',
  ).to.deep.equal([]);
}

describe('a new table or column', () => {
  let columns: Column[];
  let personal: string[];
  const of = (table: string) => columns.filter((column) => column.table === table).map(({ name }) => name);

  before(async () => {
    columns = await database.query<Column>(
      `select table_name as "table", column_name as name from information_schema.columns where table_schema = 'public'`,
      [],
    );
    personal = [...new Set(columns.filter(({ name }) => NAMES_USER.test(name)).map(({ table }) => table))];
    expect(personal).to.include.members(['messages', 'blocks']);
  });

  it('that names a user is exported by src/admin/export.ts', () => {
    const statements = [...Object.values(statementsByUser), ...Object.values(statementsByChat)].join();
    expectAll(personal, (table) => hasWord(statements, table), NOT_EXPORTED);
  });

  it('that names a user is deleted by src/accounts/deleteAccount.ts or erased by src/admin/users.ts', () => {
    const statements = [...recordDeletions, ...personalData].join();
    expectAll(personal, (table) => hasWord(statements, table), NOT_ERASED);
  });

  it('of users is emptied by src/accounts/deleteAccount.ts', () => {
    expectAll(of('users'), setBy(emptyAccount, 'users'), KEPT_OF_ACCOUNT);
  });

  it('of messages is emptied by src/messages/tombstone.ts', () => {
    expectAll(of('messages'), setBy(tombstones, 'messages'), KEPT_OF_MESSAGE);
  });

  it('of parts of a message is emptied by src/messages/tombstone.ts', () => {
    const isPart = (table: string) =>
      of(table).includes('message_id') || (of(table).includes('chat_id') && of(table).includes('seq'));
    const parts = [...new Set(columns.map(({ table }) => table))].filter(isPart);
    expect(parts).to.include.members(['message_edits', 'reactions', 'pins']);
    expectAll(parts, (table) => new RegExp(`delete from ${table}\\b`).test(tombstones), LEFT_BY_TOMBSTONE);
  });

  it('of messages is read by src/messages/read.ts', () => {
    expectAll(of('messages'), (column) => hasWord(selectMessages, `message.${column}`), INTERNAL_OF_MESSAGE);
  });

  it('of messages is exported by src/admin/export.ts', () => {
    const { messages = '' } = statementsByChat;
    const selected = messages.slice(0, messages.indexOf('from'));
    expectAll(of('messages'), (column) => hasWord(selected, column), NOT_EXPORTED_OF_MESSAGE);
  });

  it('is declared in its model', () => {
    for (const model of Object.values(database.sequelize.models)) {
      const table = String(model.getTableName());
      const declared = Object.values(model.getAttributes()).map(({ field }) => field);
      expectAll(of(table), (column) => declared.includes(column), NOT_IN_MODEL[table] ?? {});
    }
  });

  it('of messages is a property of Message under its name, if clients see it', () => {
    const properties = Object.keys(Message.properties);
    const shown = of('messages').filter((column) => !Object.hasOwn(INTERNAL_OF_MESSAGE, column));
    const others: Reasons = { id: 'messageId', chat_id: 'groupId or receiverId' };
    expectAll(shown, (column) => properties.includes(camelCase(column)), others);
  });
});
