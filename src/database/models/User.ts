import { Column, DataType, Model, Table } from 'sequelize-typescript';
import type { UserId } from '../../ids.ts';

/** An account. `email`, `username` and `passwordHash` are null once it is deleted. */
@Table({ tableName: 'users' })
export class User extends Model {
  @Column({ type: DataType.BIGINT, primaryKey: true, autoIncrement: true })
  declare id: UserId;

  @Column(DataType.CITEXT)
  declare email: string | null;

  @Column(DataType.CITEXT)
  declare username: string | null;

  @Column(DataType.TEXT)
  declare passwordHash: string | null;

  /** Stands in every token; raising it revokes all tokens handed out before. */
  @Column(DataType.INTEGER)
  declare tokenVersion: number;

  @Column(DataType.DATE)
  declare createdAt: Date;

  @Column(DataType.DATE)
  declare updatedAt: Date;

  @Column(DataType.DATE)
  declare deletedAt: Date | null;
}
