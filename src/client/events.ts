import type { Change, CommandName, Push, Pushes } from './protocol.ts';

/**
 * The state of a client: `connecting` at first, `online` after everything that was missed has been delivered, `offline`
 * between connections, and `closed` at the end.
 */
export type State = 'connecting' | 'online' | 'offline' | 'closed';

/** The events of a client by name: every push by its type, and those of the client itself. */
export interface Events extends Pushes {
  /** The new state, after each change. */
  state: State;
  /** The reason why an attempt to connect failed. The client tries again. */
  connectError: Error;
  /** Any push. */
  push: Push;
  /** A message that this client sent and the server stored, in its place among the messages of the others. */
  sent: Push;
  /** A command of this client that succeeded. */
  done: Done;
  /** Each change that a catch-up found, in its present state: messages, edits, reactions, members, receipts, names … */
  sync: Change;
  /** Missed changes are unknown, because the server does not know the cursor of this client. Everything has to be read again. */
  reset: undefined;
}

/** A command that succeeded, with the params of the request and of the reply. */
export interface Done {
  readonly type: CommandName;
  readonly params: object;
  readonly result: object;
}

/** The user of a client. */
export interface Self {
  readonly userId: number;
  readonly username: string;
}
