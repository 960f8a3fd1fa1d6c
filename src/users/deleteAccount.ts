import type { Logger } from 'pino';
import type { Transaction } from 'sequelize';
import { reconcileEverywhere } from '../bus/outbox.ts';
import type { Actor } from '../chats/changeGroup.ts';
import { leave } from '../chats/leave.ts';
import type { Database } from '../database/database.ts';
import { isPassing } from '../database/failures.ts';
import { ApiError } from '../errors.ts';
import type { ChatId, ConnectionId, UserId } from '../ids.ts';
import { userTopic } from '../socket/Connections.ts';
import { DELETED_USER } from './names.ts';
import { chatsNaming, publishName } from './publishProfile.ts';

export interface DeletionServices extends Pick<Actor, 'db' | 'bus' | 'writer'> {
  readonly log: Logger;
}

/** Connections are counted from 1. */
const NO_CONNECTION: ConnectionId = 0;
/** Milliseconds between two looks at deletions that are not done. */
const LOOK = 30_000;
/** Seconds after which a deletion is finished: whatever met the account as a living one has ended by then. */
const DUE_AFTER = 60;

/**
 * Deletes an account. In one transaction it is emptied, its tokens end, and what is kept beside it is deleted; from
 * then on it is deleted, whatever follows. Then it leaves its groups, one after another; {@link finishDeletions} does
 * what is cut off. Dialogs keep both people: the other one goes on reading them. Repeated, nothing changes.
 */
export async function deleteAccount(userId: UserId, services: DeletionServices): Promise<void> {
  const { db, bus, log } = services;
  const empty = async (transaction: Transaction) => {
    // Waits for sessions that are being recorded.
    const [emptied] = await db.select<{ id: UserId }>(emptyAccount, [userId], transaction);
    await forgetRecords(db, userId, transaction);
    await db.select(noteDeletion, [userId], transaction);
    await reconcileEverywhere(db, userId, transaction);
    return {
      user: emptied ? await db.users.findByPk(userId, { transaction }) : null,
      chats: await chatsNaming(db, userId, transaction),
    };
  };
  await db.transaction(empty, ({ user, chats }) => {
    bus.publish(userTopic(userId), { signal: { kind: 'revoked' } });
    if (user) publishName(bus, user, chats);
  });
  await leaveGroups(userId, services).catch((error) =>
    log.warn({ err: error, userId }, 'a deleted account leaves the rest of its groups later'),
  );
}

/**
 * Finishes deletions, now and every half a minute: those that were cut off, and what came into being while they were
 * made, such as a membership or the record of a session. Any number of nodes may do it.
 */
export function finishDeletions(services: DeletionServices): { close(): Promise<void> } {
  const { db, log } = services;
  const closing = new AbortController();
  let running: Promise<void> | undefined;

  async function finish(userId: UserId): Promise<void> {
    const isDone = await leaveGroups(userId, services, closing.signal);
    if (!isDone) return;
    await db.transaction(async (transaction) => {
      await forgetRecords(db, userId, transaction);
      await db.select('delete from deletions where user_id = $1', [userId], transaction);
    });
  }

  async function look(): Promise<void> {
    try {
      for (const { userId } of await db.select<{ userId: UserId }>(dueDeletions, [DUE_AFTER])) {
        if (closing.signal.aborted) return;
        await finish(userId).catch((error) => {
          if (isPassing(error)) throw error;
          log.error({ err: error, userId }, 'a deletion could not be finished; trying again'); // the others go on
        });
      }
    } catch (error) {
      if (!isPassing(error)) log.error({ err: error }, 'deletions that are due could not be read');
    }
  }

  const turn = () => {
    running ??= look().finally(() => {
      running = undefined;
    });
  };
  turn();
  const timer = setInterval(turn, LOOK).unref();
  return {
    async close() {
      closing.abort();
      clearInterval(timer);
      await running;
    },
  };
}

/** Leaves all groups; false when not all of them could be left. Rejects when the database is away. */
async function leaveGroups(
  userId: UserId,
  { db, bus, writer, log }: DeletionServices,
  signal?: AbortSignal,
): Promise<boolean> {
  const actor = { session: { userId }, origin: NO_CONNECTION, isDeleted: true, db, bus, writer };
  let isDone = true;
  for (const { id } of await db.select<{ id: ChatId }>(groupsOf, [userId])) {
    if (signal?.aborted) return false;
    try {
      await leave(actor, id, DELETED_USER);
    } catch (error) {
      if (isPassing(error)) throw error;
      // Somebody removed the member or ended the group meanwhile: as was wanted.
      if (error instanceof ApiError && /^(NOT_A_MEMBER|NOT_FOUND)$/.test(error.code)) continue;
      log.error({ err: error, userId, groupId: id }, 'a deleted account could not leave a group');
      isDone = false;
    }
  }
  return isDone;
}

/** What is kept of a person beside the account and what others read; and codes that let people in in their name. */
async function forgetRecords(db: Database, userId: UserId, transaction: Transaction): Promise<void> {
  for (const statement of [deleteSessions, deleteBlocks, revokeInvites])
    await db.select(statement, [userId], transaction);
}

const emptyAccount = `
update users
set email = null, username = null, password_hash = null, display_name = null, about = null, avatar = null,
  email_folded = null, username_folded = null, username_search = null, display_name_search = null, custom = null,
  last_seen_at = null, updated_at = clock_timestamp(), deleted_at = clock_timestamp(),
  token_version = token_version + 1
where id = $1 and deleted_at is null
returning id
`;

const deleteSessions = 'delete from sessions where user_id = $1';

const deleteBlocks = 'delete from blocks where user_id = $1';

const revokeInvites = `
update invites set revoked_at = clock_timestamp() where created_by = $1 and revoked_at is null
`;

const noteDeletion = 'insert into deletions (user_id) values ($1) on conflict (user_id) do nothing';

const dueDeletions = `
select user_id as "userId" from deletions
where created_at < clock_timestamp() - make_interval(secs => $1)
order by created_at
`;

const groupsOf = `
select chats.id from chat_members join chats on chats.id = chat_members.chat_id
where chat_members.user_id = $1 and chats.kind = 'group' and chats.closed_at is null
order by chats.id
`;
