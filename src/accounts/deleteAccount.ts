import { setTimeout as delay } from 'node:timers/promises';
import pLimit from 'p-limit';
import type { Logger } from 'pino';
import type { Transaction } from 'sequelize';
import { reconcileEverywhere } from '../bus/outbox.ts';
import { userTopic } from '../bus/topics.ts';
import type { GroupActor } from '../chats/groupChange.ts';
import { leave } from '../chats/leave.ts';
import type { Database } from '../database/database.ts';
import { isTransient } from '../database/failures.ts';
import { recurring } from '../database/recurring.ts';
import type { ChatId, ConnectionId, UserId } from '../ids.ts';
import { ApiError } from '../protocol/errors.ts';
import { DELETED_USER } from '../users/names.ts';
import { chatsNaming, publishName } from '../users/publishProfile.ts';

/** The services that deletions use. */
export interface DeletionServices extends Pick<GroupActor, 'db' | 'bus' | 'writer'> {
  readonly log: Logger;
}

/** No connection: ids of connections begin with 1. */
const NO_CONNECTION = 0 as ConnectionId;
/** Milliseconds between two checks for unfinished deletions. */
const INTERVAL = 30_000;
/** Seconds after which a deletion is finished: by then, all commands that began before it have ended. */
const DUE_AFTER = 60;
/** Groups that an account leaves before its deletion is answered, and the time limit in milliseconds. */
const AT_ONCE = 20;
const ANSWER_TIMEOUT = 1_000;
/** Sessions deleted per statement. */
const SLICE = 1_000;

/** The unfinished work of deletions on one node. */
export interface Deletions {
  /**
   * Makes a deleted account leave its groups, taking turns with other accounts. Resolves when it has left all or {@link
   * AT_ONCE} of them, or after a second; the rest follows in the background.
   */
  leave(userId: UserId): Promise<void>;
  close(): Promise<void>;
}

/**
 * Deletes an account: empties it, revokes its tokens and deletes its other records, in one transaction. The account is
 * deleted from then on, but it still has to leave its groups ({@link Deletions.leave}). Dialogs keep both members, so
 * that the other one can still read them. Idempotent.
 */
export async function deleteAccount(
  userId: UserId,
  { db, bus }: Pick<DeletionServices, 'db' | 'bus'>,
): Promise<void> {
  const empty = async (transaction: Transaction) => {
    // Waits for transactions that record sessions of the user.
    const [emptied] = await db.execute<{ id: UserId }>(emptyAccount, [userId], transaction);
    await deleteRecords(db, userId, transaction);
    await db.execute(recordDeletion, [userId], transaction);
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
}

/**
 * Finishes deletions, now and every 30 seconds: interrupted ones, and rows that were added concurrently, such as a
 * membership or a session. Any number of nodes may run it.
 */
export function finishDeletions(services: DeletionServices): Deletions {
  const { db, log } = services;
  const leaving = new AbortController();
  const turns = pLimit(1); // per group, so that an account in thousands of groups does not delay the others
  const running = new Set<Promise<void>>();

  async function finish(userId: UserId, closing: AbortSignal): Promise<void> {
    const isDone = await leaveGroups(userId, services, closing, turns);
    if (!isDone) return;
    await db.transaction(async (transaction) => {
      await deleteRecords(db, userId, transaction);
      await db.execute('delete from deletions where user_id = $1', [userId], transaction);
    });
  }

  const finishing = recurring(INTERVAL, async (closing) => {
    try {
      for (const { userId } of await db.query<{ userId: UserId }>(dueDeletions, [DUE_AFTER])) {
        if (closing.aborted) return;
        await finish(userId, closing).catch((error) => {
          if (isTransient(error)) throw error;
          log.error({ err: error, userId }, 'failed to finish account deletion; retrying'); // continue with the others
        });
      }
    } catch (error) {
      if (!isTransient(error)) log.error({ err: error }, 'failed to read due account deletions');
    }
  });

  return {
    async leave(userId) {
      let groups = 0;
      let resolveEarly = () => {};
      const isEnough = new Promise<void>((resolve) => {
        resolveEarly = resolve;
      });
      const inTurn: InTurn = async (work) => {
        if (groups++ < AT_ONCE) return turns(work);
        resolveEarly();
        await turns(() => withPause(work)); // the deletion has been answered
      };
      const leavingAll = leaveGroups(userId, services, leaving.signal, inTurn)
        .catch((error) =>
          log.warn({ err: error, userId }, 'failed to leave the groups of a deleted account; retrying later'),
        )
        .then(() => void running.delete(leavingAll));
      running.add(leavingAll);
      await Promise.race([leavingAll, isEnough, delay(ANSWER_TIMEOUT, undefined, { ref: false })]);
    },
    async close() {
      leaving.abort();
      await Promise.all([finishing.close(), ...running]);
    },
  };
}

/** Runs work, then waits for as long as it took, leaving half of the time to others. */
async function withPause(work: () => Promise<unknown>): Promise<void> {
  const start = performance.now();
  await work();
  await delay(performance.now() - start);
}

/** Runs work when it is its turn. */
type InTurn = (work: () => Promise<unknown>) => Promise<unknown>;

/**
 * Leaves all groups and deletes the remaining sessions. Returns false if some groups could not be left. Rejects if the
 * database is unavailable.
 */
export async function leaveGroups(
  userId: UserId,
  { db, bus, writer, log }: DeletionServices,
  closing?: AbortSignal,
  inTurn: InTurn = (work) => work(),
): Promise<boolean> {
  const actor = { session: { userId }, origin: NO_CONNECTION, isDeleted: true, db, bus, writer };
  let isDone = true;
  for (const { id } of await db.query<{ id: ChatId }>(groupsOf, [userId])) {
    if (closing?.aborted) return false;
    try {
      await inTurn(() => leave(actor, id, DELETED_USER));
    } catch (error) {
      if (isTransient(error)) throw error;
      // The member was removed or the group was deleted concurrently.
      if (error instanceof ApiError && /^(NOT_A_MEMBER|NOT_FOUND)$/.test(error.code)) continue;
      log.error({ err: error, userId, groupId: id }, 'failed to leave a group of a deleted account');
      isDone = false;
    }
  }
  while ((await db.execute(deleteSessions, [userId, SLICE])).length === SLICE)
    if (closing?.aborted) return false;
  return isDone;
}

/** Deletes the private records of a user, and revokes their invites. */
async function deleteRecords(db: Database, userId: UserId, transaction: Transaction): Promise<void> {
  await db.execute(deleteSessions, [userId, SLICE], transaction);
  for (const statement of recordDeletions) await db.execute(statement, [userId], transaction);
}

export const emptyAccount = `
update users
set email = null, username = null, password_hash = null, display_name = null, about = null, avatar = null,
  email_folded = null, username_folded = null, username_search = null, display_name_search = null, custom = null,
  host_claims = null, last_seen_at = null, updated_at = clock_timestamp(), deleted_at = clock_timestamp(),
  token_version = token_version + 1
where id = $1 and deleted_at is null
returning id
`;

/** Deletes the newest sessions first, which include the open ones. Uses the index on user_id. */
const deleteSessions = `
delete from sessions
where id = any (array(select id from sessions where user_id = $1 order by id desc limit $2))
returning id
`;

const deleteBlocks = 'delete from blocks where user_id = $1';

const revokeInvites = `
update invites set revoked_at = clock_timestamp() where created_by = $1 and revoked_at is null
`;

export const recordDeletions = [deleteBlocks, revokeInvites];

const recordDeletion = 'insert into deletions (user_id) values ($1) on conflict (user_id) do nothing';

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
