/** Numbers of rows of each kind, and of the single heavy cases. */
export interface Size {
  readonly users: number;
  /** Dialogs and groups of a few members with realistic lengths, 27 messages on average. */
  readonly dialogs: number;
  readonly groups: number;
  /** One group of many members and messages. */
  readonly largeGroup: { readonly members: number; readonly messages: number };
  /** Messages of the long dialog. */
  readonly longDialog: number;
  /** Chats of the user with many chats, half of them dialogs. */
  readonly manyChats: number;
  /** Groups with 50 members of the user with many groups. */
  readonly manyGroups: number;
  /** Sessions of 30 days: of all users together, and of one user. */
  readonly sessions: number;
  readonly ownSessions: number;
}

/** Messages at which {@link sizeOf} has the factor 1. */
const MESSAGES = 6_200_000;

/**
 * Returns the size of a server with `messages` messages: 6.2 million correspond to 500,000 users, and everything else
 * scales with them. `others` multiplies all data outside of the single cases.
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
