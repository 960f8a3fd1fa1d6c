import { Column, DataType, Model, Table } from 'sequelize-typescript';
import type { MessageId, UserId } from '../../ids.ts';

/** A report of a message by a user. */
@Table({ tableName: 'reports' })
export class Report extends Model {
  @Column({ type: DataType.BIGINT, primaryKey: true, autoIncrement: true })
  declare id: number;

  @Column(DataType.BIGINT)
  declare messageId: MessageId;

  @Column(DataType.BIGINT)
  declare reporterId: UserId;

  @Column(DataType.TEXT)
  declare reason: string;

  /** The content of the message at that time. */
  @Column(DataType.TEXT)
  declare content: string;

  @Column(DataType.DATE)
  declare createdAt: Date;
}
