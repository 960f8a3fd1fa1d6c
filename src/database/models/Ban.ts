import { Column, DataType, Model, Table } from 'sequelize-typescript';
import type { ChatId, UserId } from '../../ids.ts';

/** That a user may not come into a group. */
@Table({ tableName: 'bans' })
export class Ban extends Model {
  @Column({ type: DataType.BIGINT, primaryKey: true })
  declare chatId: ChatId;

  @Column({ type: DataType.BIGINT, primaryKey: true })
  declare userId: UserId;

  @Column(DataType.BIGINT)
  declare bannedBy: UserId;

  @Column(DataType.TEXT)
  declare reason: string | null;

  @Column(DataType.DATE)
  declare createdAt: Date;
}
