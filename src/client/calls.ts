import type { CommandName, Params, Result } from './protocol.ts';

export interface CallOptions {
  /** Aborts the call, which rejects with the reason of the signal. A command that was sent already may take effect. */
  readonly signal?: AbortSignal;
}

/** The arguments of a call after the name of the command. Params may be omitted if all of them are optional. */
export type CallArguments<Name extends CommandName> =
  Record<string, never> extends Params<Name>
    ? [params?: Params<Name>, options?: CallOptions]
    : [params: Params<Name>, options?: CallOptions];

/**
 * Sends a request. `take` receives the result in its place among the frames: after the effects of those before it, and
 * before those of the next, even if several frames arrive in one chunk; code that awaits the promise would run after
 * the whole chunk. Resolves to the value that `take` returns.
 */
export type SendRequest = <Name extends CommandName, Value>(
  type: Name,
  params: Params<Name>,
  take: (result: Result<Name>) => Value,
) => Promise<Value>;
