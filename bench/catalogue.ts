import { connects, IDLE_PEOPLE, idle } from './scenarios/connections.ts';
import { writeWithConsumer } from './scenarios/events.ts';
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

/** A measurement that runs on one target after another. */
export interface Scenario {
  readonly title: string;
  readonly on: readonly Kind[];
  /** True if it needs a fresh target each time, because earlier measurements would change the result. */
  readonly isFresh?: boolean;
  /** Number of accounts, if the default is too low; only for fresh targets. */
  readonly people?: number;
  /** True if its figures are named `case: figure` and shown in a table with a row for each case. */
  readonly isByCase?: boolean;
  /** The most important figure. */
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
    title: 'latency at 200 messages/s with 20 logins in progress at any time, in ms',
    on: ['calm'],
    headline: 'push p99',
    run: loginStorm,
  },
  connects: {
    title: '1,000 people connect, 50 at a time; costs per connect',
    on: ['calm', 'bare'],
    headline: 'connects/s',
    run: connects,
  },
  idle: {
    title: 'memory per idle connection, each of a different user, in KiB',
    on: ['parley', 'bare'],
    isFresh: true,
    people: IDLE_PEOPLE,
    headline: 'KiB',
    run: idle,
  },
  history: {
    title: 'a page of 20 messages of a dialog of 2,000, in ms; costs per page',
    on: ['calm'],
    headline: 'work µs',
    run: historyPage,
  },
  index: {
    title: 'the search index: costs per indexed message',
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
  events: {
    title: '50 people in 25 dialogs, each with 16 messages in flight, without and with a consumer of events',
    on: ['parley', 'consumed'],
    headline: 'acknowledged/s',
    run: writeWithConsumer,
  },
  failover: {
    title: '10,000 clients of a killed node, until they are connected to the other node',
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
    title: 'a million messages, 50,000 in 1,000 chats of the measured user: chat list, searches, sync, in ms',
    on: ['parley'],
    isFresh: true,
    headline: 'common word p50',
    run: search,
  },
  expensive: {
    title: 'commands of two people while ten others send as much as the limits allow, in ms',
    on: ['limited'],
    isFresh: true,
    headline: 'searches: ping p99',
    run: expensive,
  },
  scale: {
    title: 'every command on the data of a large server, in ms; statements, their time and buffers per call',
    on: ['scale'],
    isFresh: true,
    people: 0,
    isByCase: true,
    headline: 'write in a dialog: ms',
    run: (target, _, options) => scale(target, options),
  },
} satisfies Readonly<Record<string, Scenario>>;

export type ScenarioName = keyof typeof SCENARIOS;

/** Scenarios with their targets. */
export type Selection = Partial<Record<ScenarioName, readonly Kind[]>>;

/** Further names for parts of scenarios and for several scenarios. */
export const GROUPS: Readonly<Record<string, Selection>> = {
  bare: { dialogs: ['bareSeq', 'bare'] },
  cluster: {
    nats: ['parley', 'nats', 'twoNodes'],
    group: ['parley', 'twoNodes'],
    latency200: ['calm', 'twoNodes'],
    failover: ['twoNodes'],
  },
};

/** Returns the selection of a name; undefined for an unknown name. */
export function selectionOf(name: string): Selection | undefined {
  if (Object.hasOwn(GROUPS, name)) return GROUPS[name];
  if (!Object.hasOwn(SCENARIOS, name)) return undefined;
  return { [name]: SCENARIOS[name as ScenarioName].on };
}
