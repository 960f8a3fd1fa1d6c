import { Column, DataType, Model, Table } from 'sequelize-typescript';
import type { ChatId, UserId } from '../../ids.ts';

/** An emoji of a user on a message. The message contains the counts. */
@Table({ tableName: 'reactions' })
export class Reaction extends Model {
  @Column({ type: DataType.BIGINT, primaryKey: true })
  declare chatId: ChatId;

  @Column({ type: DataType.BIGINT, primaryKey: true })
  declare seq: number;

  @Column({ type: DataType.BIGINT, primaryKey: true })
  declare userId: UserId;

  @Column({ type: DataType.TEXT, primaryKey: true })
  declare emoji: string;

  @Column(DataType.DATE)
  declare createdAt: Date;
}
