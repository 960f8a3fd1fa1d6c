import { Column, DataType, Model, Table } from 'sequelize-typescript';
import type { ChatId, UserId } from '../../ids.ts';

/** That a user is in a chat now; the row goes when the user leaves. */
@Table({ tableName: 'chat_members' })
export class ChatMember extends Model {
  @Column({ type: DataType.BIGINT, primaryKey: true })
  declare chatId: ChatId;

  @Column({ type: DataType.BIGINT, primaryKey: true })
  declare userId: UserId;

  @Column(DataType.TEXT)
  declare role: 'owner' | 'admin' | 'member';

  @Column(DataType.BIGINT)
  declare readSeq: number;

  @Column(DataType.BIGINT)
  declare deliveredSeq: number;

  @Column(DataType.DATE)
  declare mutedUntil: Date | null;

  @Column(DataType.DATE)
  declare joinedAt: Date;
}
