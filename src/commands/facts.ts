/**
 * Facts of a command: constant, and part of its definition. The dispatcher, the rate limits, the documents and the typed
 * client decide by them, never by the name of a command.
 */
export interface CommandFacts {
  /** It has no effect: it changes nothing and notifies nobody. */
  readonly reads: boolean;
  /**
   * A client may send it again when a connection broke before the reply: the second time changes nothing more, and is
   * answered like the first.
   */
  readonly repeatable: boolean;
  /** It stores a message, and takes a `clientMessageId`, by which a message that is sent again is stored once. */
  readonly storesMessage: boolean;
  /**
   * Its effect depends on the commands about the same chat before it: a client that may have to send one of those again
   * waits for their replies.
   */
  readonly ordered: boolean;
  /** The number of commands it counts as against the rate limit. */
  readonly cost: number;
  /** It is about the connection that it comes from: a service connection cannot send it as a user. */
  readonly isOfConnection?: true;
  /**
   * The owner of a group manages the group by it: a service connection may send it as the owner. It has the param `groupId`
   * or `messageId`.
   */
  readonly managesGroup?: true;
}

/** Facts of every command that only reads. */
export const READ = { reads: true, repeatable: true, storesMessage: false, ordered: false } as const;

/** Facts of every command that stores a message. */
export const SEND = { reads: false, repeatable: true, storesMessage: true, ordered: true } as const;

/** The facts that the definition of every command may state. */
export type Cost = Pick<CommandFacts, 'cost' | 'isOfConnection' | 'managesGroup'>;

/** Has the params of a command that stores a message. */
export interface TakesMessageId {
  readonly params: { readonly properties: { readonly clientMessageId: object } };
}

interface NoMessage extends Cost {
  readonly storesMessage: false;
  readonly repeatable: boolean;
  readonly ordered: boolean;
}

/** Facts that the definition of a command with an effect states; contradictions do not compile. */
export type ChangeFacts = NoMessage | (Omit<typeof SEND, 'reads'> & Cost & TakesMessageId);

/** Facts that the definition of a command without the database states. */
export type LocalFacts = (typeof READ & Cost) | (NoMessage & { readonly reads: false });
