import { Column, DataType, Model, Table } from 'sequelize-typescript';
import type { ChatId, UserId } from '../../ids.ts';

/** A pinned message of a chat. */
@Table({ tableName: 'pins' })
export class Pin extends Model {
  @Column({ type: DataType.BIGINT, primaryKey: true })
  declare chatId: ChatId;

  @Column({ type: DataType.BIGINT, primaryKey: true })
  declare seq: number;

  @Column(DataType.BIGINT)
  declare pinnedBy: UserId;

  @Column(DataType.DATE)
  declare pinnedAt: Date;
}
