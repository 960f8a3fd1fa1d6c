import { connects, IDLE_PEOPLE, idle } from './scenarios/connections.ts';
import { expensive } from './scenarios/expensive.ts';
import { failover } from './scenarios/failover.ts';
import { behind, indexing } from './scenarios/indexing.ts';
import { loginStorm, steadyLogins } from './scenarios/logins.ts';
import { historyPage, reading } from './scenarios/reading.ts';
import { type ScaleOptions, scale } from './scenarios/scale.ts';
import { search } from './scenarios/search.ts';
import { writeAtRate, writeInGroup, writeInPairs } from './scenarios/writing.ts';
import { settled } from './searchIndex.ts';
import type { Kind, Target } from './targets.ts';
import type { Figures } from './usage.ts';

/** Something that is measured, on one target after the other. */
export interface Scenario {
  readonly title: string;
  readonly on: readonly Kind[];
  /** Has a target of its own each time: what was measured before would change the result. */
  readonly isFresh?: boolean;
  /** Accounts that it needs, where those that every target has are too few; only of a fresh one. */
  readonly people?: number;
  /** Its figures are named `case: figure`, and stand in a table with a line for each case. */
  readonly isByCase?: boolean;
  /** The figure that says most. */
  readonly headline: string;
  run(target: Target, kind: Kind, scale: ScaleOptions): Promise<Figures>;
}

const prepared = async (target: Target, kind: Kind): Promise<void> => {
  if (kind === 'parley') await behind(target);
  if (kind === 'calm') await settled(target);
};

export const SCENARIOS = {
  dialogs: {
    title: '50 people in 25 dialogs, each with 16 messages in flight',
    on: ['parley', 'bareSeq', 'bare'],
    headline: 'acknowledged/s',
    run: (target) => writeInPairs(target, 50, 16),
  },
  '50x1': {
    title: '50 people in 25 dialogs, each with one message in flight',
    on: ['parley', 'bareSeq', 'bare'],
    headline: 'acknowledged/s',
    run: (target) => writeInPairs(target, 50, 1),
  },
  '1x1': {
    title: 'one person with one message in flight; the search index is behind (parley), caught up (calm)',
    on: ['parley', 'calm', 'bareSeq', 'bare'],
    headline: 'acknowledged/s',
    async run(target, kind) {
      await prepared(target, kind);
      return await writeInPairs(target, 2, 1);
    },
  },
  group: {
    title: 'one group of 100 connected members, ten of them with 16 messages in flight',
    on: ['parley', 'bare'],
    headline: 'acknowledged/s',
    run: (target) => writeInGroup(target),
  },
  latency: {
    title: 'latency at 1,000 messages/s, in ms; the search index is behind (parley), caught up (calm)',
    on: ['parley', 'calm', 'bare'],
    headline: 'push p99',
    async run(target, kind) {
      await prepared(target, kind);
      return await writeAtRate(target, 1_000);
    },
  },
  latency200: {
    title: 'latency at 200 messages/s, in ms',
    on: ['calm', 'twoNodes'],
    headline: 'push p99',
    run: (target) => writeAtRate(target, 200),
  },
  logins: {
    title: 'latency at 200 messages/s without and with 20 logins/s, in ms',
    on: ['calm'],
    headline: 'push p99 times',
    run: steadyLogins,
  },
  storm: {
    title: 'latency at 200 messages/s while 20 logins are under way at any time, in ms',
    on: ['calm'],
    headline: 'push p99',
    run: loginStorm,
  },
  connects: {
    title: '1,000 people connect, 50 at a time; costs are of a connect',
    on: ['calm', 'bare'],
    headline: 'connects/s',
    run: connects,
  },
  idle: {
    title: 'memory per idle connection, each of another user, in KiB',
    on: ['parley', 'bare'],
    isFresh: true,
    people: IDLE_PEOPLE,
    headline: 'KiB',
    run: idle,
  },
  history: {
    title: 'a page of 20 messages of a dialog of 2,000, in ms; costs are of a page',
    on: ['calm'],
    headline: 'work µs',
    run: historyPage,
  },
  index: {
    title: 'the search index: costs are of a message that is taken into it',
    on: ['indexing'],
    headline: 'database µs',
    run: indexing,
  },
  nats: {
    title:
      'dialogs (50 × 16) on one node, on one node with NATS, on two with the people of each dialog apart',
    on: ['parley', 'nats', 'twoNodes'],
    headline: 'work µs',
    run: (target) => writeInPairs(target, 50, 16),
  },
  failover: {
    title: '10,000 clients whose node is killed, until they are on the other',
    on: ['twoNodes'],
    isFresh: true,
    headline: 'all back, s',
    run: failover,
  },
  reading: {
    title: 'a dialog of 100,000 messages: the chat list, and pages of 100, in ms',
    on: ['parley'],
    isFresh: true,
    headline: 'first page p50',
    run: reading,
  },
  search: {
    title: 'a million messages, 50,000 in 1,000 chats of the one who asks: chat list, searches, sync, in ms',
    on: ['parley'],
    isFresh: true,
    headline: 'common word p50',
    run: search,
  },
  expensive: {
    title: 'commands of one person beside ten others who ask for as much as they may, in ms',
    on: ['limited'],
    isFresh: true,
    headline: 'searches: ping p99',
    run: expensive,
  },
  scale: {
    title:
      'every command on the data of a large server, in ms; statements, their time and buffers are of a call',
    on: ['scale'],
    isFresh: true,
    people: 0,
    isByCase: true,
    headline: 'write in a dialog: ms',
    run: (target, _, options) => scale(target, options),
  },
} satisfies Readonly<Record<string, Scenario>>;

export type ScenarioName = keyof typeof SCENARIOS;

/** Scenarios, and the targets that each is run on. */
export type Selection = Partial<Record<ScenarioName, readonly Kind[]>>;

/** Further names: parts of scenarios, and several at once. */
export const GROUPS: Readonly<Record<string, Selection>> = {
  bare: { dialogs: ['bareSeq', 'bare'] },
  cluster: {
    nats: ['parley', 'nats', 'twoNodes'],
    group: ['parley', 'twoNodes'],
    latency200: ['calm', 'twoNodes'],
    failover: ['twoNodes'],
  },
};

/** What a name stands for; undefined for one that stands for nothing. */
export function selectionOf(name: string): Selection | undefined {
  if (Object.hasOwn(GROUPS, name)) return GROUPS[name];
  if (!Object.hasOwn(SCENARIOS, name)) return undefined;
  return { [name]: SCENARIOS[name as ScenarioName].on };
}
