import { randomBytes } from 'node:crypto';

/** Begins the names of nodes that take batches. Those of earlier releases have no dot. */
const TAKES_BATCHES = 'b.';

/** Returns a new name for this node, which says what it understands. */
export const newNodeId = (): string => TAKES_BATCHES + randomBytes(6).toString('base64url');

/** Returns whether a node of that name receives batches; see `createSender`. */
export const takesBatches = (node: string): boolean => node.startsWith(TAKES_BATCHES);
