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

export interface DeletionServices extends Pick<GroupActor, 'db' | 'bus' | 'writer'> {
  readonly log: Logger;
}

/** Connections are counted from 1. */
const NO_CONNECTION: ConnectionId = 0;
/** Milliseconds between two looks at deletions that are not done. */
const LOOK = 30_000;
/** Seconds after which a deletion is finished: whatever met the account as a living one has ended by then. */
const DUE_AFTER = 60;
/** Groups that an account leaves before its deletion is answered, and milliseconds that this may take. */
const AT_ONCE = 20;
const PATIENCE = 1_000;
/** Sessions that are deleted by one statement. */
const SLICE = 1_000;

/** What is still to be done of deletions, on one node. */
export interface Deletions {
  /**
   * Lets a deleted account leave its groups, one after another with those of other accounts. Resolves when it has left
   * as many as most people are in, or after a moment: the others follow behind that.
   */
  leave(userId: UserId): Promise<void>;
  close(): Promise<void>;
}

/**
 * Deletes an account: it is emptied, its tokens end, and what is kept beside it is deleted, in one transaction. From then
 * on it is deleted, whatever follows: it has its groups still to leave ({@link Deletions.leave}). Dialogs keep both
 * people: the other one goes on reading them. Repeated, nothing changes.
 */
export async function deleteAccount(
  userId: UserId,
  { db, bus }: Pick<DeletionServices, 'db' | 'bus'>,
): Promise<void> {
  const empty = async (transaction: Transaction) => {
    // Waits for sessions that are being recorded.
    const [emptied] = await db.execute<{ id: UserId }>(emptyAccount, [userId], transaction);
    await deleteRecords(db, userId, transaction);
    await db.execute(noteDeletion, [userId], transaction);
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
 * Finishes deletions, now and every half a minute: those that were cut off, and what came into being while they were
 * made, such as a membership or the record of a session. Any number of nodes may do it.
 */
export function finishDeletions(services: DeletionServices): Deletions {
  const { db, log } = services;
  const leaving = new AbortController();
  const turns = pLimit(1); // for each group, so that nobody waits for an account in thousands of them
  const underWay = new Set<Promise<void>>();

  async function finish(userId: UserId, closing: AbortSignal): Promise<void> {
    const isDone = await leaveGroups(userId, services, closing, turns);
    if (!isDone) return;
    await db.transaction(async (transaction) => {
      await deleteRecords(db, userId, transaction);
      await db.execute('delete from deletions where user_id = $1', [userId], transaction);
    });
  }

  const finishing = recurring(LOOK, async (closing) => {
    try {
      for (const { userId } of await db.query<{ userId: UserId }>(dueDeletions, [DUE_AFTER])) {
        if (closing.aborted) return;
        await finish(userId, closing).catch((error) => {
          if (isTransient(error)) throw error;
          log.error({ err: error, userId }, 'a deletion could not be finished; trying again'); // the others go on
        });
      }
    } catch (error) {
      if (!isTransient(error)) log.error({ err: error }, 'deletions that are due could not be read');
    }
  });

  return {
    async leave(userId) {
      let groups = 0;
      let answer = () => {};
      const isEnough = new Promise<void>((resolve) => {
        answer = resolve;
      });
      const inTurn: InTurn = async (work) => {
        if (groups++ < AT_ONCE) return turns(work);
        answer();
        await turns(() => restful(work)); // nobody waits for it any more
      };
      const left = leaveGroups(userId, services, leaving.signal, inTurn)
        .catch((error) =>
          log.warn({ err: error, userId }, 'a deleted account leaves the rest of its groups later'),
        )
        .then(() => void underWay.delete(left));
      underWay.add(left);
      await Promise.race([left, isEnough, delay(PATIENCE, undefined, { ref: false })]);
    },
    async close() {
      leaving.abort();
      await Promise.all([finishing.close(), ...underWay]);
    },
  };
}

/** Runs work, and rests for as long as it took: half of the time is for everybody else. */
async function restful(work: () => Promise<unknown>): Promise<void> {
  const start = performance.now();
  await work();
  await delay(performance.now() - start);
}

/** Runs work when its turn has come. */
type InTurn = (work: () => Promise<unknown>) => Promise<unknown>;

/**
 * Leaves all groups, and forgets the rest of the sessions; false when not all of them could be left. Rejects when the
 * database is away.
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
      // Somebody removed the member or ended the group meanwhile: as was wanted.
      if (error instanceof ApiError && /^(NOT_A_MEMBER|NOT_FOUND)$/.test(error.code)) continue;
      log.error({ err: error, userId, groupId: id }, 'a deleted account could not leave a group');
      isDone = false;
    }
  }
  while ((await db.execute(deleteSessions, [userId, SLICE])).length === SLICE)
    if (closing?.aborted) return false;
  return isDone;
}

/** What is kept of a person beside the account and what others read; and codes that let people in in their name. */
async function deleteRecords(db: Database, userId: UserId, transaction: Transaction): Promise<void> {
  await db.execute(deleteSessions, [userId, SLICE], transaction);
  for (const statement of recordDeletions) await db.execute(statement, [userId], transaction);
}

export const emptyAccount = `
update users
set email = null, username = null, password_hash = null, display_name = null, about = null, avatar = null,
  email_folded = null, username_folded = null, username_search = null, display_name_search = null, custom = null,
  last_seen_at = null, updated_at = clock_timestamp(), deleted_at = clock_timestamp(),
  token_version = token_version + 1
where id = $1 and deleted_at is null
returning id
`;

/** The newest ones first, among which are those that are open. By the index on user_id. */
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
