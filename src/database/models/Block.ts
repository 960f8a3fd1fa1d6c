import { Column, DataType, Model, Table } from 'sequelize-typescript';
import type { UserId } from '../../ids.ts';

/** That a user wants nothing from another one. */
@Table({ tableName: 'blocks' })
export class Block extends Model {
  /** Who blocks. */
  @Column({ type: DataType.BIGINT, primaryKey: true })
  declare userId: UserId;

  @Column({ type: DataType.BIGINT, primaryKey: true })
  declare blockedId: UserId;

  @Column(DataType.DATE)
  declare createdAt: Date;
}
