import { readFile } from 'node:fs/promises';
import { expect } from 'chai';
import type { Static, TObject } from 'typebox';
import type { ChatAddress, Commands, Pushes } from '../../src/client/index.ts';
import { type commands, registry } from '../../src/commands/registry.ts';
import { clientTypesSource } from '../../tools/clientTypes.ts';

type Definition = (typeof commands)[number];

/** The types of the commands, inferred from the schemas of their definitions. */
type Inferred = {
  [D in Definition as D['type']]: { params: ParamsOf<D['params']>; result: Static<D['result']> };
};

/** Schemas made by `inChat` take exactly one of two addresses. */
type ParamsOf<Schema extends TObject> = 'oneOf' extends keyof Schema['properties']['receiverId']
  ? Omit<Static<Schema>, 'receiverId' | 'groupId'> & ChatAddress
  : keyof Static<Schema> extends never
    ? Record<string, never>
    : Static<Schema>;

type PushedOf<D extends Definition> = NonNullable<D['push']>['fields'];

type InferredPushes = {
  [D in Definition as [PushedOf<D>] extends [never] ? never : D['type']]: Static<PushedOf<D>> & {
    data: null;
    message: Static<PushedOf<D>> extends { createdAt: string } ? string : string | null;
    senderName: string;
  };
};

/** The same type with its objects written out, plain numbers for ids, and without `[name: string]`, which is not inferred. */
type Plain<T> = T extends number
  ? number
  : T extends readonly (infer Each)[]
    ? Plain<Each>[]
    : T extends object
      ? { [Key in keyof T as string extends Key ? never : Key]: Plain<T[Key]> }
      : T;

type IsSame<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
/** The names whose types differ. */
type Differing<A, B> = {
  [Name in keyof A]: Name extends keyof B
    ? IsSame<Plain<A[Name]>, Plain<B[Name]>> extends true
      ? never
      : Name
    : Name;
}[keyof A];

describe('the types of the client', () => {
  it('are as `npm run docs` writes them', async () => {
    const source = await readFile('src/client/commands.ts', 'utf8');
    expect(source).to.equal(clientTypesSource(registry.values()));
  });

  it('are those of the schemas, or it does not compile', () => {
    // A name in the message of the compiler is a command whose types differ.
    const names: readonly [
      Differing<Inferred, Commands>[],
      Differing<Commands, Inferred>[],
      Differing<InferredPushes, Pushes>[],
      Differing<Pushes, InferredPushes>[],
    ] = [[], [], [], []];
    names satisfies readonly (readonly never[])[];
  });
});
