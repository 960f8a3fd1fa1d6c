import type { Logger } from 'pino';
import { levelOf } from '../database/failures.ts';
import type { ChatId } from '../ids.ts';
import type { ChatRecord } from './chatRecord.ts';
import { delayBeforeFilling, type GapPlan, type GapStep } from './GapPlan.ts';
import type { Schedule } from './schedule.ts';
import type { TopicSequences } from './TopicSequences.ts';
import type { Topic } from './topics.ts';

/** Dependencies of a {@link GapFiller}. */
export interface GapFillerOptions {
  readonly record: ChatRecord;
  readonly log: Logger;
  /**
   * Resolves when what this node is writing now in a chat is published: the record may have it before the node knows
   * of it, and the connection that it comes from gets a reply and no push.
   */
  readonly underWay: (chatId: ChatId) => Promise<void>;
  /** Called with how many messages were read from the record. */
  readonly gapFilled: (messages: number) => void;
  /** More is missing of a chat than is pushed: the subscribers of the topic must synchronise. */
  readonly gapTooLarge: (topic: Topic, chatId: ChatId) => void;
}

type StepOf<Kind extends GapStep['kind']> = Extract<GapStep, { readonly kind: Kind }>;

/** Fills gaps from the record: runs the timers and reads of each {@link GapPlan}, one run per chat of a topic at a time. */
export class GapFiller {
  readonly #options: GapFillerOptions;
  readonly #isConnected: () => boolean;
  readonly #schedule: Schedule;
  /** Gaps that are being filled, each with the function that ends its timer. */
  readonly #running = new Map<TopicSequences, Map<ChatId, () => void>>();
  #isClosed = false;

  /** `isConnected` says whether publications of other nodes arrive. */
  constructor(options: GapFillerOptions, isConnected: () => boolean, schedule: Schedule) {
    this.#options = options;
    this.#isConnected = isConnected;
    this.#schedule = schedule;
  }

  /** Begins to fill the gap of a chat, unless that has begun. */
  fill(sequences: TopicSequences, chatId: ChatId, isUrgent: boolean): void {
    if (this.#running.get(sequences)?.has(chatId)) return;
    this.#runIn(sequences, chatId, delayBeforeFilling(isUrgent, this.#isConnected()));
  }

  /** Stops filling the gaps of a topic that nobody is subscribed to any more. */
  stop(sequences: TopicSequences): void {
    for (const cancel of this.#running.get(sequences)?.values() ?? []) cancel();
    this.#running.delete(sequences);
  }

  /** Stops filling all gaps. */
  close(): void {
    this.#isClosed = true;
    for (const sequences of this.#running.keys()) this.stop(sequences);
  }

  #runIn(sequences: TopicSequences, chatId: ChatId, milliseconds: number): void {
    let timers = this.#running.get(sequences);
    if (!timers) {
      timers = new Map();
      this.#running.set(sequences, timers);
    }
    timers.set(
      chatId,
      this.#schedule(() => void this.#run(sequences, chatId), milliseconds),
    );
  }

  async #run(sequences: TopicSequences, chatId: ChatId): Promise<void> {
    const plan = sequences.plan(chatId);
    if (!plan) return;
    let hasFailed = false;
    try {
      await this.#takeSteps(sequences, chatId, plan);
    } catch (error) {
      const { log } = this.#options;
      log[levelOf(error)]({ err: error, chatId }, 'failed to read missing messages');
      hasFailed = true;
    }
    if (this.#isClosed || sequences.isClosed) return;
    const delay = plan.delayToNext(hasFailed);
    if (delay !== undefined) return this.#runIn(sequences, chatId, delay);
    sequences.filled(chatId);
    this.#ended(sequences, chatId);
  }

  #ended(sequences: TopicSequences, chatId: ChatId): void {
    const timers = this.#running.get(sequences);
    timers?.delete(chatId);
    if (timers?.size === 0) this.#running.delete(sequences);
  }

  /** Takes the steps up to the next page of messages: others have their turn before the one after it. */
  async #takeSteps(sequences: TopicSequences, chatId: ChatId, plan: GapPlan): Promise<void> {
    const { record } = this.#options;
    while (!sequences.isClosed) {
      const step = plan.next();
      if (!step) return;
      if (step.kind === 'giveUp') return this.#giveUp(sequences.topic, chatId, plan, step);
      if (step.kind === 'readMessages') return this.#readMessages(sequences, chatId, plan, step);
      if (step.kind === 'readStart') plan.startRead(await record.headAt(chatId, step.snapshot));
      else plan.headRead(await record.head(chatId));
    }
  }

  async #readMessages(
    sequences: TopicSequences,
    chatId: ChatId,
    plan: GapPlan,
    { from, to }: StepOf<'readMessages'>,
  ): Promise<void> {
    const { record, log, underWay, gapFilled } = this.#options;
    const messages = await record.read(chatId, from, to);
    await underWay(chatId);
    if (sequences.isClosed) return;
    plan.messagesRead(messages, to);
    if (messages.length === 0) return;
    gapFilled(messages.length);
    log.debug({ chatId, messages: messages.length }, 'missing messages read from the database');
  }

  #giveUp(topic: Topic, chatId: ChatId, plan: GapPlan, { to, missing }: StepOf<'giveUp'>): void {
    this.#options.log.warn({ topic, chatId, missing }, 'too many missing messages to push');
    this.#options.gapTooLarge(topic, chatId);
    plan.giveUp(to);
  }
}
