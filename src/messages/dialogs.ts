import { LRUCache } from 'lru-cache';
import type { Database } from '../database/database.ts';
import type { ChatId, UserId } from '../ids.ts';
import type { MessageDraft } from './drafts.ts';

/** Pairs remembered: about 150 bytes each. */
const MAX_REMEMBERED = 200_000;

/** Knows the chat of each pair of people, and makes it with their first message. */
export interface DialogDirectory {
  /** The chat of each draft: the group it names, or the dialog of its two people; null where one does not exist. */
  chatIdsOf(drafts: readonly MessageDraft[]): Promise<(ChatId | null)[]>;
}

/** A dialog never changes its id and never goes away, so what was found once is remembered. */
export function createDialogDirectory({ writer }: Database): DialogDirectory {
  const known = new LRUCache<string, ChatId>({ max: MAX_REMEMBERED });

  return {
    async chatIdsOf(drafts) {
      const missing = new Map<string, Pair>();
      const found = drafts.map(({ senderId, to }) => {
        if ('groupId' in to) return to.groupId;
        const pair = pairOf(senderId, to.receiverId);
        const key = keyOf(pair);
        const chatId = known.get(key);
        if (chatId === undefined) missing.set(key, pair);
        return chatId ?? key;
      });
      if (missing.size > 0) await make([...missing.values()]);
      return found.map((chat) => (typeof chat === 'string' ? (known.get(chat) ?? null) : chat));
    },
  };

  async function make(pairs: Pair[]): Promise<void> {
    const parameters = [pairs.map(({ low }) => low), pairs.map(({ high }) => high)];
    await writer.query(makeDialogs, parameters);
    const { rows } = await writer.query<Pair & { id: ChatId }>(findDialogs, parameters);
    for (const { id, ...pair } of rows) known.set(keyOf(pair), id);
  }
}

interface Pair {
  readonly low: UserId;
  readonly high: UserId;
}

export function pairOf(one: UserId, other: UserId): Pair {
  return { low: Math.min(one, other), high: Math.max(one, other) };
}

const keyOf = ({ low, high }: Pair) => `${low}:${high}`;

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

/** A statement of its own: it sees what another node made a moment ago, too. */
const findDialogs = `
select chats.id, low, high
from unnest($1::bigint[], $2::bigint[]) as pair (low, high)
join chats on user_low = low and user_high = high
`;
