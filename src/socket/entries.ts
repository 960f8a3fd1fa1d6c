import { claimStands, claims, claimsOf } from '../auth/standing.ts';
import type { Place } from '../bus/bus.ts';
import type { Database } from '../database/database.ts';
import { gathered } from '../database/gathered.ts';
import { LimitError } from '../errors.ts';
import type { ChatId, ConnectionId, SessionId } from '../ids.ts';
import type { Membership, Memberships } from './Connections.ts';
import type { Session } from './session.ts';

/** What a new connection needs; undefined when its token was revoked. */
export interface Entry extends Memberships {
  readonly sessionId: SessionId;
}

interface Newcomer {
  readonly id: ConnectionId;
  readonly session: Session;
}

export interface Entries {
  /** Rejects with `UNAVAILABLE` when too many wait already, as when the database is away. */
  load(newcomer: Newcomer): Promise<Entry | undefined>;
}

/** Connections that may wait to be admitted: some 2 KiB each. */
const MAX_WAITING = 20_000;

/** Connections that one query admits. */
const MAX_BATCH = 200;

/**
 * Looks entries up: a storm of reconnects is a few large queries and not thousands. With `dialogs`, which the messages of
 * other nodes are put in order by.
 */
export function createEntries(db: Database, dialogs: boolean): Entries {
  let waiting = 0;
  const loader = gathered((newcomers: readonly Newcomer[]) => read(db, newcomers, dialogs), MAX_BATCH);
  return {
    async load(newcomer) {
      if (waiting >= MAX_WAITING)
        throw new LimitError('upgrades', 'UNAVAILABLE', 'Too many connect at once; come back in a moment', 5);
      waiting++;
      try {
        return await loader.load(newcomer);
      } finally {
        waiting--;
      }
    },
  };
}

async function read(
  db: Database,
  newcomers: readonly Newcomer[],
  dialogs: boolean,
): Promise<(Entry | undefined)[]> {
  const bind = [JSON.stringify(newcomers.map(({ id, session }) => claimsOf(id, session))), dialogs];
  const rows = await db.select<Row>(entriesOfClaims, bind);
  const byId = new Map(rows.map((row) => [row.id, row]));
  const snapshot = rows[0]?.snapshot ?? ''; // one string for all of them
  return newcomers.map(({ id }) => {
    const row = byId.get(id);
    if (!row) return undefined;
    const { sessionId, groups, dialogs: places } = row;
    return {
      sessionId,
      groups: groupsOf(groups),
      dialogs: dialogs ? placesOf(places) : undefined,
      snapshot,
    };
  });
}

interface Row {
  readonly id: ConnectionId;
  readonly sessionId: SessionId;
  /** Ids of groups, how far they are, and the oldest message that the user may see: `id,seq,seq,id,seq,seq…`. */
  readonly groups: string | null;
  /** Ids of dialogs and how far they are: `id,seq,id,seq…`. */
  readonly dialogs: string | null;
  readonly snapshot: string;
}

const numbersOf = (list: string | null): number[] => JSON.parse(`[${list ?? ''}]`);

function groupsOf(list: string | null): Membership[] {
  const flat = numbersOf(list);
  return Array.from({ length: flat.length / 3 }, (_, at) => ({
    chatId: flat[3 * at] as ChatId,
    seq: flat[3 * at + 1] as number,
    firstSeq: flat[3 * at + 2] as number,
  }));
}

function placesOf(list: string | null): Place[] {
  const flat = numbersOf(list);
  return Array.from({ length: flat.length / 2 }, (_, at) => ({
    chatId: flat[2 * at] as ChatId,
    seq: flat[2 * at + 1] as number,
  }));
}

/**
 * $1 claims, $2 with dialogs. Lists as text, which is read thirty times as fast as an array of bigint. The chats of each
 * user are looked up by their ids, however many there are: joined, they would be read whole for each user.
 */
const entriesOfClaims = `
select claim.id, nextval('sessions_id_seq') as "sessionId", pg_current_snapshot()::text as snapshot,
  chats.groups, chats.dialogs
from ${claims}
join users on ${claimStands}
cross join lateral (
  select
    string_agg(chat.id || ',' || chat.last_seq || ',' || member.first_seq, ',' order by chat.id)
      filter (where chat.kind = 'group') as groups,
    string_agg(chat.id || ',' || chat.last_seq, ',') filter (where chat.kind = 'dialog') as dialogs
  from chat_members member
  cross join lateral (
    select id, kind, last_seq from chats where id = member.chat_id and (kind = 'group' or $2) limit 1
  ) chat
  where member.user_id = users.id
) chats
`;
