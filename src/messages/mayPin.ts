import type { Transaction } from 'sequelize';
import { membershipInGroup, requireRole } from '../chats/membership.ts';
import type { Database } from '../database/database.ts';
import type { UserId } from '../ids.ts';
import type { MessageRow } from './read.ts';

/** Refuses with `FORBIDDEN` members of a group who are neither owner nor admin; in a dialog both members may pin. */
export async function assertMayPin(
  db: Database,
  userId: UserId,
  { isGroup, chatId }: MessageRow,
  transaction: Transaction,
): Promise<void> {
  if (isGroup)
    requireRole((await membershipInGroup(db, userId, chatId, transaction)).member, 'owner', 'admin');
}
