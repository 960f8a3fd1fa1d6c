import { Type } from 'typebox';
import { Empty } from '../../protocol/schema/types.ts';
import { defineServiceLocal } from './define.ts';

export const ping = defineServiceLocal({
  type: 'ping',
  summary: 'Check the connection',
  params: Type.Object({}),
  result: Empty,
  scope: undefined,
  reads: true,
  repeatable: true,
  cost: 1,
  errors: [],
  async handle() {
    return {};
  },
});
