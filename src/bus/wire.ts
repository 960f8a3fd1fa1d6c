import type { BusMessage, Place } from './bus.ts';

/** What one node tells the others: a message, or how far a chat is that they may have missed something of. */
export type NodeMessage = BusMessage | { readonly head: Place };

/** A line of JSON with what decides where it goes, then the frame as it is. */
export function encode(message: NodeMessage): string {
  if (!('frame' in message)) return JSON.stringify(message);
  const { frame, exceptUsers, place } = message; // `except` is a connection of this node
  return `${JSON.stringify({ exceptUsers, place })}\n${frame}`;
}

export function decode(payload: string): NodeMessage {
  const end = payload.indexOf('\n');
  if (end === -1) return JSON.parse(payload);
  return { ...JSON.parse(payload.slice(0, end)), frame: payload.slice(end + 1) };
}
