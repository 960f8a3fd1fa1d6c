import type { Change, CommandName, Push, Pushes } from './protocol.ts';

/**
 * `connecting` at first; `online` once everything missed was told; `offline` while another connection is tried;
 * `closed` for good.
 */
export type State = 'connecting' | 'online' | 'offline' | 'closed';

/** What {@link Client.on} hears of, by name: every push, and what the client itself has to say. */
export interface Events extends Pushes {
  state: State;
  /** Any push. */
  push: Push;
  /** A message of this client was stored; it comes in its place among those of the others. */
  sent: Push;
  /** A command of this client succeeded. */
  done: Done;
  /** Changes that catching up found beside new messages, in their present state: edits, deletions, reactions, members, receipts, names … */
  sync: Change;
  /** Missed events cannot be reported, because the server has forgotten what this client knew: read everything again. */
  reset: undefined;
}

export interface Done {
  readonly type: CommandName;
  readonly params: object;
  readonly result: object;
}

/** Who is connected. */
export interface Self {
  readonly userId: number;
  readonly username: string;
}
