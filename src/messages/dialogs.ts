import { LRUCache } from 'lru-cache';
import type { Database } from '../database/database.ts';
import type { ChatId } from '../ids.ts';
import { type Pair, pairOf } from '../users/pairs.ts';
import type { MessageDraft } from './drafts.ts';

/** Pairs remembered: about 150 bytes each. */
const MAX_REMEMBERED = 200_000;

/** Knows the chat of each pair of people, and makes it with their first message. */
export interface DialogDirectory {
  /** The chat of a draft, where it is known already. */
  chatOf(draft: MessageDraft): ChatId | undefined;
  /** The chat of each draft, the group it names or the dialog of its two people, where all are known already. */
  known(drafts: readonly MessageDraft[]): ChatId[] | undefined;
  /** The same, with dialogs looked up or made; null where one of the two people does not exist. */
  find(drafts: readonly MessageDraft[]): Promise<(ChatId | null)[]>;
}

/** A dialog never changes its id and never goes away, so what was found once is remembered. */
export function createDialogDirectory({ writer }: Database): DialogDirectory {
  const dialogs = new LRUCache<string, ChatId>({ max: MAX_REMEMBERED });
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

/** Makes the dialogs that are missing, both people members; pairs with somebody who does not exist are left out. */
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
 * A statement of its own: it sees what another node made a moment ago, too, and blocks that began before. Where one
 * stands between two people, how far each is shown to be to the other stands still from the beginning.
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
