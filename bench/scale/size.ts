/** Number of rows of each kind, and of the single cases that are as heavy as any. */
export interface Size {
  readonly users: number;
  /** Dialogs and groups of a few people; their lengths differ as those of real ones do, with the mean of 27 messages. */
  readonly dialogs: number;
  readonly groups: number;
  /** One group of many members and messages. */
  readonly largeGroup: { readonly members: number; readonly messages: number };
  /** One dialog. */
  readonly longDialog: number;
  /** Chats of somebody who is in many, half of them dialogs. */
  readonly manyChats: number;
  /** Groups of 50 members that somebody is in. */
  readonly manyGroups: number;
  /** Sessions of 30 days: of everybody together, and of one user. */
  readonly sessions: number;
  readonly ownSessions: number;
}

/** What {@link sizeOf} makes 1 of. */
const MESSAGES = 6_200_000;

/**
 * The data of a server with so many messages: 6.2 million are of 500,000 users, and everything else grows and shrinks
 * with them. `others` multiplies what the single cases have nothing to do with.
 */
export function sizeOf(messages: number, others = 1): Size {
  const part = (of: number, least: number, factor = 1) =>
    Math.max(least, Math.round((of * messages * factor) / MESSAGES));
  return {
    users: part(500_000, 2_000, others),
    dialogs: part(100_000, 100, others),
    groups: part(50_000, 50, others),
    largeGroup: { members: part(10_000, 100), messages: part(1_000_000, 5_000) },
    longDialog: part(500_000, 2_000),
    manyChats: part(10_000, 100),
    manyGroups: part(2_000, 20),
    sessions: part(400_000, 1_000, others),
    ownSessions: part(200_000, 1_000),
  };
}
