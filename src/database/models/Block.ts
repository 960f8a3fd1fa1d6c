import { Column, DataType, Model, Table } from 'sequelize-typescript';
import type { UserId } from '../../ids.ts';

/** A block of one user by another. */
@Table({ tableName: 'blocks' })
export class Block extends Model {
  /** The user who blocks. */
  @Column({ type: DataType.BIGINT, primaryKey: true })
  declare userId: UserId;

  @Column({ type: DataType.BIGINT, primaryKey: true })
  declare blockedId: UserId;

  @Column(DataType.DATE)
  declare createdAt: Date;
}
