import type { ChatId } from '../../ids.ts';
import type { ChatPosition, NodeMessage, Origin, PushMessage } from '../bus.ts';
import type { Topic } from '../topics.ts';

/** A message, and the topics that it is published to. */
export interface Addressed {
  readonly topics: readonly Topic[];
  readonly message: NodeMessage;
}

type Push = PushMessage & { readonly origin?: Origin };

/**
 * Everything but the frame of a push and `except`, which names a connection of the node that publishes. Two properties
 * have the names of earlier releases.
 */
interface Header extends Omit<Push, 'frame' | 'except' | 'position' | 'isTransient'> {
  readonly place?: ChatPosition;
  readonly isPassing?: true;
}

/**
 * A message in the index of a batch, with its topics, separated by spaces, and the bytes of its frame. `chatId` and
 * `seq` are the position of a message that is stored and says nothing else, as nearly all do: they are read and written in
 * half of the time that a header takes.
 */
type IndexEntry =
  | readonly [topics: string, bytes: number, chatId: ChatId, seq: number]
  | readonly [topics: string, bytes: number, header: object]
  /** Without a frame. */
  | readonly [topics: string, bytes: -1, message: NodeMessage];

/** Encodes a message for other nodes: a line of JSON with everything but the frame, then the frame as it is. */
export function encode(message: NodeMessage): string {
  return 'frame' in message
    ? `${JSON.stringify(headerOf(message))}\n${message.frame}`
    : JSON.stringify(message);
}

/** Decodes what `encode` made; throws a SyntaxError for anything else. */
export function decode(payload: string): NodeMessage {
  const end = payload.indexOf('\n');
  if (end === -1) return JSON.parse(payload);
  return pushFrom(JSON.parse(payload.slice(0, end)), payload.slice(end + 1));
}

/**
 * Encodes several messages: a line of JSON that is an index of them, then their frames, one after another. The entry of
 * a message that says nothing but its position is put together as text, since nothing in it needs escaping: half of the
 * time of an array for each and a walk over them.
 */
export function encodeBatch(batch: readonly Addressed[]): Buffer {
  let index = '';
  let frames = '';
  for (const { topics, message } of batch) {
    const names = topics.length === 1 ? (topics[0] as string) : topics.join(' ');
    if (index !== '') index += ',';
    if (!('frame' in message)) {
      index += JSON.stringify([names, -1, message] satisfies IndexEntry);
      continue;
    }
    const { frame, position } = message;
    const bytes = Buffer.byteLength(frame);
    index +=
      position && isPlain(message)
        ? `["${names}",${bytes},${position.chatId},${position.seq}]`
        : JSON.stringify([names, bytes, headerOf(message)] satisfies IndexEntry);
    frames += frame;
  }
  return Buffer.from(`[${index}]\n${frames}`);
}

/**
 * Decodes what `encodeBatch` made, without the messages of which no topic is `subscribed`, and calls `receive` for each
 * subscribed topic. Throws a SyntaxError for anything else.
 */
export function decodeBatch(
  payload: Buffer,
  subscribed: { has(topic: Topic): boolean },
  receive: (topic: Topic, message: NodeMessage) => void,
): void {
  const end = payload.indexOf('\n');
  const index: readonly IndexEntry[] = JSON.parse(payload.toString('utf8', 0, end === -1 ? undefined : end));
  let at = end + 1;
  for (const entry of index) {
    let message: NodeMessage | undefined;
    for (const topic of entry[0].split(' ') as Topic[])
      if (subscribed.has(topic)) {
        message ??= messageOf(entry, payload, at);
        receive(topic, message);
      }
    at += Math.max(0, entry[1]);
  }
}

function messageOf(entry: IndexEntry, payload: Buffer, at: number): NodeMessage {
  const [, bytes, about, seq] = entry;
  if (bytes === -1) return about as NodeMessage;
  const frame = payload.toString('utf8', at, at + bytes);
  return seq === undefined
    ? pushFrom(about as Header, frame)
    : { frame, position: { chatId: about as ChatId, seq } };
}

const isPlain = ({ origin, exceptUsers, membership, about, isTransient }: Push): boolean =>
  !(origin || exceptUsers || membership || about || isTransient);

function headerOf({ origin, exceptUsers, position, membership, about, isTransient }: Push): object {
  return { origin, exceptUsers, place: position, membership, about, isPassing: isTransient };
}

function pushFrom({ place, isPassing, ...rest }: Header, frame: string): Push {
  return { ...rest, ...(place && { position: place }), ...(isPassing && { isTransient: true }), frame };
}
