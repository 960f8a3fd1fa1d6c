import type { CommandName, Params } from './protocol.ts';

export interface CallOptions {
  /** Gives the call up; what was sent already may still be done. */
  readonly signal?: AbortSignal;
}

/** The arguments of a call behind the name of the command: params may be left out where all of them may be. */
export type CallArguments<Name extends CommandName> =
  Record<string, never> extends Params<Name>
    ? [params?: Params<Name>, options?: CallOptions]
    : [params: Params<Name>, options?: CallOptions];
