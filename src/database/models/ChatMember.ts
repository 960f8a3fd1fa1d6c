import { Column, DataType, Model, Table } from 'sequelize-typescript';
import type { ChatId, UserId } from '../../ids.ts';

export type Role = 'owner' | 'admin' | 'member';

/** A current membership of a user in a chat; the row is deleted when the user leaves. */
@Table({ tableName: 'chat_members' })
export class ChatMember extends Model {
  @Column({ type: DataType.BIGINT, primaryKey: true })
  declare chatId: ChatId;

  @Column({ type: DataType.BIGINT, primaryKey: true })
  declare userId: UserId;

  @Column(DataType.TEXT)
  declare role: Role;

  /** The oldest message the member may see. */
  @Column(DataType.BIGINT)
  declare firstSeq: number;

  @Column(DataType.BIGINT)
  declare readSeq: number;

  /** `tally` of the chat at `readSeq`; the difference to the current `tally` is the unread count. */
  @Column(DataType.BIGINT)
  declare readTally: number;

  @Column(DataType.BOOLEAN)
  declare markedUnread: boolean;

  @Column(DataType.DATE)
  declare pinnedAt: Date | null;

  @Column(DataType.DATE)
  declare archivedAt: Date | null;

  @Column(DataType.DATE)
  declare lastSentAt: Date | null;

  @Column(DataType.BIGINT)
  declare deliveredSeq: number;

  @Column(DataType.DATE)
  declare mutedUntil: Date | null;

  @Column(DataType.DATE)
  declare joinedAt: Date;
}
