import { listConsumers as list, deleteConsumer as remove } from '../events/manageConsumers.ts';
import type { Action } from './define.ts';

export const listConsumers: Action = (_, __, { db, config }) => list({ db, keptDays: config.eventDays });

export const deleteConsumer: Action = async ([name = ''], _, { db }) => {
  await remove(db, name);
  return { deleted: name };
};
