import type { NodeMessage, Topic } from './bus.ts';
import type { Publication } from './Recent.ts';

/** What nodes ask each other: what was published in the last so many milliseconds; or that more was than is known. */
export type NodeQuestion = { readonly published: number } | { readonly forgotten: true };

/** A line of JSON with what decides where it goes, then the frame as it is. */
export function encode(message: NodeMessage): string {
  if (!('frame' in message)) return JSON.stringify(message);
  const { frame, id, exceptUsers, place, membership, about } = message; // `except` is a connection of this node
  return `${JSON.stringify({ id, exceptUsers, place, membership, about })}\n${frame}`;
}

export function decode(payload: string): NodeMessage {
  const end = payload.indexOf('\n');
  if (end === -1) return JSON.parse(payload);
  return { ...JSON.parse(payload.slice(0, end)), frame: payload.slice(end + 1) };
}

/** A publication that is told again: topic and time on a line of their own. */
export const encodePublication = ({ topic, at, message }: Publication): string =>
  `${topic} ${at}\n${encode(message)}`;

export function decodePublication(payload: string): Publication {
  const end = payload.indexOf('\n');
  const [topic, at] = payload.slice(0, end).split(' ');
  const message = decode(payload.slice(end + 1)) as Publication['message'];
  return { topic: topic as Topic, at: Number(at), message };
}
