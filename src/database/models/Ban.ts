import { Column, DataType, Model, Table } from 'sequelize-typescript';
import type { ChatId, UserId } from '../../ids.ts';

/** A ban of a user from a group. */
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
