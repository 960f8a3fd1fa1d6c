import type { NodeMessage } from '../bus.ts';

/** Encodes a message for other nodes: a line of JSON with everything but the frame, then the frame as it is. */
export function encode(message: NodeMessage): string {
  if (!('frame' in message)) return JSON.stringify(message);
  // `except` names a connection of this node.
  const { frame, origin, exceptUsers, place, membership, about, isPassing } = message;
  return `${JSON.stringify({ origin, exceptUsers, place, membership, about, isPassing })}\n${frame}`;
}

/** Decodes what `encode` made; throws a SyntaxError for anything else. */
export function decode(payload: string): NodeMessage {
  const end = payload.indexOf('\n');
  if (end === -1) return JSON.parse(payload);
  return { ...JSON.parse(payload.slice(0, end)), frame: payload.slice(end + 1) };
}
