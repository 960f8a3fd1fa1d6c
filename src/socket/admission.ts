import type { TokenClaims } from '../auth/tokens.ts';
import { claimIsValid, claimRows, claimsOf } from '../auth/tokenValidity.ts';
import type { ChatPosition } from '../bus/bus.ts';
import { batched } from '../database/batched.ts';
import type { Database } from '../database/database.ts';
import { prepared } from '../database/statements.ts';
import type { ChatId, ConnectionId, SessionId } from '../ids.ts';
import { LimitError } from '../protocol/errors.ts';
import type { UserChats } from './Connections.ts';
import type { GroupPosition } from './GroupSubscriptions.ts';

/** State of the database that a new connection needs. */
export interface ConnectionState extends UserChats {
  readonly sessionId: SessionId;
}

interface PendingConnection {
  readonly id: ConnectionId;
  readonly session: TokenClaims;
}

export interface Admission {
  /**
   * Returns the state for a connection; undefined when its token was revoked. Rejects with `UNAVAILABLE` when too many
   * wait already, as when the database is away.
   */
  load(connection: PendingConnection): Promise<ConnectionState | undefined>;
}

/** Connections that may wait to be admitted: some 2 KiB each. */
const MAX_WAITING = 20_000;

/** Connections that one query admits. */
const MAX_BATCH = 200;

/** Chats of a user that are read together with those of others; users with more are read one at a time. */
const MAX_CHATS = 500;

/** Stands for the state of a user whose chats are too many to be read with those of others. */
const MANY = Symbol('many chats');

/**
 * Looks the states of connections up in batches: a storm of reconnects is a few large queries and not thousands, each
 * bounded by the number of chats. With `dialogs`, it reads also how far dialogs are, which orders the messages of other
 * nodes.
 */
export function createAdmission(db: Database, dialogs: boolean): Admission {
  let waiting = 0;
  const together = batched(
    (pending: readonly PendingConnection[]) => read(db, pending, dialogs, MAX_CHATS),
    MAX_BATCH,
  );
  // All connections of the user who waits for longest; the others are asked for again.
  const alone = batched(async (pending: readonly PendingConnection[]) => {
    const first = pending.reduce((one, other) => (one.id < other.id ? one : other));
    const isNext = ({ session }: PendingConnection) => session.userId === first.session.userId;
    const states = (await read(db, pending.filter(isNext), dialogs, null)).values();
    return pending.map((connection) => (isNext(connection) ? states.next().value : MANY));
  }, MAX_WAITING);
  return {
    async load(connection) {
      if (waiting >= MAX_WAITING)
        throw new LimitError('upgrades', 'UNAVAILABLE', 'Too many connections at once; retry in a moment', 5);
      waiting++;
      try {
        let state = await together.load(connection);
        while (state === MANY) state = await alone.load(connection);
        return state;
      } finally {
        waiting--;
      }
    },
  };
}

/** Reads the states of pending connections; `maxChats` is of each user. */
async function read(
  db: Database,
  pending: readonly PendingConnection[],
  dialogs: boolean,
  maxChats: number | null,
): Promise<(ConnectionState | typeof MANY | undefined)[]> {
  const claims = JSON.stringify(pending.map(({ id, session }) => claimsOf(id, session)));
  const rows = await db.query<Row>(admissionOfClaims, [claims, dialogs, maxChats]);
  const snapshot = rows[0]?.snapshot ?? ''; // one string for all of them
  const byId = new Map<ConnectionId, ConnectionState | typeof MANY>();
  for (const { admitted, isMany, memberships, groups, dialogs: positions } of rows) {
    const own = {
      groups: groupsOf(positionsOf(groups), numbersOf(memberships)),
      dialogs: dialogs ? positionsOf(positions) : undefined,
      snapshot,
    };
    const flat = numbersOf(admitted);
    for (let at = 0; at < flat.length; at += 2)
      byId.set(flat[at] as ConnectionId, isMany ? MANY : { sessionId: flat[at + 1] as SessionId, ...own });
  }
  return pending.map(({ id }) => byId.get(id));
}

/** A user whose connections are admitted. */
interface Row {
  /** Ids of the connections and their sessions: `id,session,id,session…`. */
  readonly admitted: string;
  /** The user has more chats than were asked for. */
  readonly isMany: boolean;
  /** Ids of all chats and the oldest message that the user may see: `id,seq,id,seq…`, in the order of the ids. */
  readonly memberships: string | null;
  /** Ids of groups and how far they are: `id,seq,id,seq…`, in the order of the ids. */
  readonly groups: string | null;
  /** The same of dialogs. */
  readonly dialogs: string | null;
  readonly snapshot: string;
}

const numbersOf = (list: string | null): number[] => JSON.parse(`[${list ?? ''}]`);

/** Joins groups with the oldest messages that the user may see of them: both are in the order of the ids. */
function groupsOf(groups: readonly ChatPosition[], memberships: readonly number[]): GroupPosition[] {
  let at = 0;
  return groups.map(({ chatId, seq }) => {
    while (memberships[at] !== chatId) at += 2;
    return { chatId, seq, firstSeq: memberships[at + 1] as number };
  });
}

function positionsOf(list: string | null): ChatPosition[] {
  const flat = numbersOf(list);
  return Array.from({ length: flat.length / 2 }, (_, at) => ({
    chatId: flat[2 * at] as ChatId,
    seq: flat[2 * at + 1] as number,
  }));
}

/**
 * $1 claims, $2 with dialogs, $3 chats of a user at most, or null. Lists as text, which is read thirty times as fast as an
 * array of bigint. The chats of a user are read once for all connections, from the memberships (index
 * chat_members_by_user) in one pass over the primary key; put together by the caller, for there is no join of two lists
 * that does not grow with their product or with what others have stored.
 */
const admissionOfClaims = prepared(
  'admission',
  `
with admitted as materialized (
  select person.id, string_agg(claim.id || ',' || nextval('sessions_id_seq'), ',') as claims
  from ${claimRows}
  cross join lateral (select id from users where ${claimIsValid} limit 1) person
  group by person.id
)
select admitted.claims as admitted, pg_current_snapshot()::text as snapshot,
  coalesce(own.total > $3::bigint, false) as "isMany", own.memberships, own.groups, own.dialogs
from admitted
cross join lateral (
  with own as materialized (
    select chat_id, first_seq from chat_members where user_id = admitted.id limit $3::bigint + 1
  )
  select
    (select count(*) from own) as total,
    (select string_agg(chat_id || ',' || first_seq, ',' order by chat_id) from own) as memberships,
    string_agg(id || ',' || last_seq, ',' order by id) filter (where kind = 'group') as groups,
    string_agg(id || ',' || last_seq, ',' order by id) filter (where kind = 'dialog') as dialogs
  from chats
  where id = any (array(select chat_id from own)) and (kind = 'group' or $2) and closed_at is null
) own
`,
);
