import type { CommandName } from '../protocol.ts';
import { type EncodedRequest, encodeFrame, encodeRequest } from '../request.ts';
import { READING, UNREPEATABLE } from './commandFacts.ts';
import type { AnyServiceCommandName } from './protocol.ts';

/**
 * Encodes a command of the user `as`, or a service command. Commands of different users do not wait for each other, and
 * changes by service commands are sent one after another. Throws as {@link encodeFrame}.
 */
export function encodeServiceRequest(
  id: number,
  type: CommandName | AnyServiceCommandName,
  params: object,
  as: object | string | undefined,
): EncodedRequest {
  if (as) {
    const request = encodeRequest(id, type as CommandName, params, as);
    return { ...request, queue: `${JSON.stringify(as)} ${request.queue}` };
  }
  const command = type as AnyServiceCommandName;
  return {
    id,
    frame: encodeFrame({ type, params, id }),
    queue: READING.includes(command) ? `${id}` : 'service',
    isRepeatable: !UNREPEATABLE.includes(command),
  };
}
