import type { Database } from '../database/database.ts';
import type { ChatId } from '../ids.ts';
import { lruCache } from '../lruCache.ts';
import { type Pair, pairOf } from '../users/pairs.ts';
import type { MessageDraft } from './drafts.ts';

/** Cached pairs, about 150 bytes each. */
const MAX_REMEMBERED = 200_000;

/** Finds the dialog of two users, and creates it with their first message. */
export interface DialogDirectory {
  /** Returns the chat of a draft, if it is cached. */
  chatOf(draft: MessageDraft): ChatId | undefined;
  /** Returns the chat of each draft, if all are groups or cached. */
  known(drafts: readonly MessageDraft[]): ChatId[] | undefined;
  /** Returns the chat of each draft, reading or creating dialogs; null if one of the two users does not exist. */
  find(drafts: readonly MessageDraft[]): Promise<(ChatId | null)[]>;
}

/** Creates a directory that caches dialogs: their ids never change, and they are never deleted. */
export function createDialogDirectory({ writer }: Database): DialogDirectory {
  const dialogs = lruCache<string, ChatId>(MAX_REMEMBERED);
  const chatOf = ({ senderId, to }: MessageDraft): ChatId | undefined =>
    'groupId' in to ? to.groupId : dialogs.get(pairKey(pairOf(senderId, to.receiverId)));

  return {
    chatOf,
    known(drafts) {
      const chatIds: ChatId[] = [];
      for (const draft of drafts) {
        const chatId = chatOf(draft);
        if (chatId === undefined) return undefined;
        chatIds.push(chatId);
      }
      return chatIds;
    },
    async find(drafts) {
      const missing = new Map<string, Pair>();
      for (const draft of drafts) {
        if (chatOf(draft) !== undefined || 'groupId' in draft.to) continue;
        const pair = pairOf(draft.senderId, draft.to.receiverId);
        missing.set(pairKey(pair), pair);
      }
      if (missing.size > 0) await make([...missing.values()]);
      return drafts.map((draft) => chatOf(draft) ?? null);
    },
  };

  async function make(pairs: Pair[]): Promise<void> {
    const values = [pairs.map(({ low }) => low), pairs.map(({ high }) => high)];
    await writer.query({ text: makeDialogs, values });
    const found = await writer.query<Pair & { id: ChatId }>({ text: findDialogs, values });
    for (const { id, ...pair } of found) dialogs.set(pairKey(pair), id);
  }
}

const pairKey = ({ low, high }: Pair) => `${low}:${high}`;

/** Creates missing dialogs with both members, except for pairs with a user who does not exist. */
const makeDialogs = `
with made as (
  insert into chats (kind, user_low, user_high, created_by)
  select 'dialog', low, high, low
  from unnest($1::bigint[], $2::bigint[]) as pair (low, high)
  where (select count(*) from users where id in (low, high) and deleted_at is null) = case when low = high then 1 else 2 end
  order by low, high
  on conflict (user_low, user_high) do nothing
  returning id, user_low, user_high
)
insert into chat_members (chat_id, user_id)
select id, user_low from made union select id, user_high from made
`;

/**
 * A separate statement, so that it sees dialogs that another node has just created, and earlier blocks. If one user
 * blocks the other, their shown positions are frozen from the beginning.
 */
const findDialogs = `
with found as materialized (
  select chats.id, low, high
  from unnest($1::bigint[], $2::bigint[]) as pair (low, high)
  join chats on user_low = low and user_high = high
), frozen as (
  update chat_members member
  set shown_read_seq = read_seq, shown_delivered_seq = delivered_seq, shown_xid = state_xid
  from found
  cross join lateral (
    select true as stands from blocks where user_id in (low, high) and blocked_id in (low, high) limit 1
  ) block
  where member.chat_id = found.id and member.user_id in (low, high) and shown_read_seq is null
)
select id, low, high from found
`;
