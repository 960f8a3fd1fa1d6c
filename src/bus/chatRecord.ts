import type { ChatId } from '../ids.ts';
import type { MembershipChange } from './bus.ts';

/** A message as it is pushed, read from the database. */
export interface ReadPush {
  readonly seq: number;
  readonly frame: string;
  readonly membership?: MembershipChange | undefined;
}

/** The record that gaps are filled from. */
export interface ChatRecord {
  /** Returns the messages of a chat from one `seq` to another, lowest first. */
  read(chatId: ChatId, from: number, to: number): Promise<readonly ReadPush[]>;
  /** Returns the newest `seq` of a chat; 0 where there is none. */
  head(chatId: ChatId): Promise<number>;
  /** Returns the newest `seq` of a chat that was visible to a `pg_snapshot`; undefined when that is too far back. */
  headAt(chatId: ChatId, snapshot: string): Promise<number | undefined>;
}
