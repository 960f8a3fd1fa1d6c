import type { Queries } from '../database/database.ts';
import type { ChatId, MessageId, UserId } from '../ids.ts';
import type { CustomData } from '../protocol/schema/types.ts';
import { type Candidate, CandidateList } from './CandidateList.ts';
import { comparisonsOf, filtersOf } from './queryFilters.ts';
import {
  CANDIDATE_LIMITS,
  candidates as candidatesIn,
  hits,
  idAt,
  lastUnfiltered,
  MAX_UNFILTERED,
  type Order,
  readWords,
  type SearchText,
} from './search.sql.ts';

/** Messages read per step until there are enough hits; most searches end after the first step. */
const STEPS = [512, 3_584, 12_288];
/** Maximum milliseconds by which the order of times may differ from that of ids. */
const SKEW = 60_000;
/** An id above those of all messages. */
const END = Number.MAX_SAFE_INTEGER;

export interface Search extends SearchText {
  readonly userId: UserId;
  /** Undefined for all chats. */
  readonly chatId: ChatId | undefined;
  readonly senderId: UserId | undefined;
  readonly from: Date | undefined;
  readonly to: Date | undefined;
  /** True for messages that mention this user only. */
  readonly hasMention: boolean;
  readonly custom: CustomData | undefined;
  readonly order: Order;
  /** Maximum number of hits. */
  readonly limit: number;
  /** The position after which the results continue: of a hit, or between messages. */
  readonly after: { readonly rank: number; readonly messageId: number } | undefined;
}

export interface Hit {
  readonly rank: number;
  readonly messageId: MessageId;
}

export interface Found {
  /** In their order. */
  readonly hits: readonly Hit[];
  /** Only messages with ids above it were searched; undefined if all were. */
  readonly searchedTo: number | undefined;
}

/**
 * Finds messages in the chats of a user by words and parts of words, newest first until there are enough. The amount of
 * data read depends neither on the number of messages nor on other users, and it is limited; `searchedTo` is the point
 * reached. By relevance, as many of the newest messages as possible are ranked.
 */
export async function findMessages(db: Queries, search: Search): Promise<Found> {
  const [progress] = await db.query<Progress>(readWords, [search.words]);
  if (!progress) throw new Error('message_search_progress has no row');
  const bounds = await boundsOf(db, search);
  const found = new FoundHits(search);
  const { filteredTo } = progress;
  const unfiltered = { above: Math.max(bounds.above, filteredTo), below: bounds.below };
  if (unfiltered.above < Math.min(unfiltered.below - 1, progress.newest)) {
    const searchedTo = await searchUnfiltered(db, search, unfiltered, progress, found);
    const isEnough = search.order === 'recency' && found.isFull(searchedTo);
    if (searchedTo !== undefined || isEnough) return found.downTo(searchedTo);
  }
  const filtered = { above: bounds.above, below: Math.min(bounds.below, filteredTo + 1) };
  const searchedTo =
    filtered.above < filtered.below - 1
      ? await searchFiltered(db, search, filtered, progress.words, found)
      : undefined;
  return found.downTo(searchedTo);
}

/** The words as a `tsquery`, and the progress of the filters. */
interface Progress {
  readonly words: string;
  readonly filteredTo: MessageId;
  readonly newest: MessageId;
}

/** Exclusive bounds of ids of messages. */
interface Bounds {
  readonly above: number;
  readonly below: number;
}

async function boundsOf(db: Queries, { from, to, order, after }: Search): Promise<Bounds> {
  const idOf = async (time: number) =>
    (await db.query<{ id: MessageId }>(idAt, [new Date(time)]))[0]?.id ?? END;
  const above = from ? (await idOf(from.getTime() - SKEW)) - 1 : 0;
  const below = to ? await idOf(to.getTime() + SKEW) : END;
  return { above, below: order === 'recency' ? Math.min(below, after?.messageId ?? END) : below };
}

/**
 * Searches messages without a filter. Returns the id reached if that is not all, because the index is far behind or
 * being rebuilt.
 */
async function searchUnfiltered(
  db: Queries,
  search: Search,
  { above, below }: Bounds,
  { newest }: Progress,
  found: FoundHits,
): Promise<number | undefined> {
  const { chatId, order } = search;
  const [scope, chat] = chatId === undefined ? (['all', []] as const) : (['one', [chatId]] as const);
  const isMuch = Math.min(below, newest + 1) - above > MAX_UNFILTERED;
  const [last] = isMuch
    ? await db.query<{ id: MessageId }>(lastUnfiltered(scope), [above, below, ...chat])
    : [];
  const from = last ? last.id - 1 : above;
  const conditions = conditionsOf(search, { above: from, below });
  found.add(await db.query<Hit>(hits('unfiltered', scope, order), [...conditions, ...chat]));
  return last && order === 'recency' ? from : undefined;
}

/** Searches messages whose filters may match. Returns the id reached if that is not all. */
async function searchFiltered(
  db: Queries,
  search: Search,
  bounds: Bounds,
  words: string,
  found: FoundHits,
): Promise<number | undefined> {
  const { userId, chatId, text, senderId, hasMention, order } = search;
  const [scope, chat] = chatId === undefined ? (['all', []] as const) : (['one', [chatId]] as const);
  const conditions = conditionsOf(search, bounds);
  found.add(await db.query<Hit>(hits('changed', scope, order), [...conditions, ...chat]));

  const mentioned = hasMention ? userId : undefined;
  const comparisons = comparisonsOf(filtersOf({ words, text, senderId, mentioned }));
  const rows = await db.query<Candidate>(candidatesIn(scope), [
    ...[userId, bounds.above, bounds.below],
    ...comparisons,
    ...chat,
  ]);
  const candidates = new CandidateList(rows, CANDIDATE_LIMITS, bounds);
  for (const messages of order === 'recency' ? STEPS : [Math.max(...STEPS)]) {
    const step = candidates.next(messages);
    if (!step) break;
    const columns = [
      step.candidates.map((candidate) => candidate.chatId),
      step.candidates.map(({ firstId }) => firstId),
      step.candidates.map(({ lastId }) => lastId),
    ];
    found.add(
      await db.query<Hit>(hits('filtered', 'all', order), [...conditionsOf(search, step), ...columns]),
    );
    if (order === 'recency' && found.isFull(candidates.searchedTo)) break;
  }
  return order === 'recency' ? candidates.searchedTo : undefined;
}

const conditionsOf = (search: Search, { above, below }: Bounds): readonly unknown[] => [
  ...[search.words, search.text, above, below, search.userId],
  ...[search.senderId ?? null, search.from ?? null, search.to ?? null, search.hasMention],
  search.custom ? JSON.stringify(search.custom) : null,
  search.limit,
  ...(search.order === 'relevance' && search.after
    ? [search.after.rank, search.after.messageId]
    : [null, null]),
];

/** Collects hits from several sources without duplicates. */
class FoundHits {
  readonly #limit: number;
  readonly #hits = new Map<MessageId, Hit>();

  constructor({ limit }: Search) {
    this.#limit = limit;
  }

  add(hits: readonly Hit[]): void {
    for (const hit of hits) this.#hits.set(hit.messageId, hit);
  }

  /** Returns true if there are enough hits with ids above a number. */
  isFull(searchedTo = -1): boolean {
    let count = 0;
    for (const messageId of this.#hits.keys()) if (messageId > searchedTo) count++;
    return count >= this.#limit;
  }

  /** Returns the hits with ids above a number; older ones may be incomplete. */
  downTo(searchedTo: number | undefined): Found {
    const hits = [...this.#hits.values()]
      .filter(({ messageId }) => messageId > (searchedTo ?? -1))
      .sort((a, b) => b.rank - a.rank || b.messageId - a.messageId)
      .slice(0, this.#limit);
    return { hits, searchedTo };
  }
}
