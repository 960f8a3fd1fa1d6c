import { addUserInGroup } from './addUserInGroup.ts';
import type { Command } from './define.ts';
import { getlatestMessageDialog } from './getlatestMessageDialog.ts';
import { getlatestMessageGroup } from './getlatestMessageGroup.ts';
import { leaveGroup } from './leaveGroup.ts';
import { listLastMessage } from './listLastMessage.ts';
import { messageInGroup } from './messageInGroup.ts';
import { newGroup } from './newGroup.ts';
import { privateMessage } from './privateMessage.ts';

/** Every command there is, in the order of the documents. */
const commands: readonly Command[] = [
  listLastMessage,
  getlatestMessageDialog,
  getlatestMessageGroup,
  newGroup,
  addUserInGroup,
  leaveGroup,
  messageInGroup,
  privateMessage,
];

export const registry: ReadonlyMap<string, Command> = new Map(
  commands.map((command) => [command.type, command]),
);
