import { readFile } from 'node:fs/promises';
import { expect } from 'chai';
import type { Static, TObject } from 'typebox';
import type { ChatAddress, Commands, Pushes } from '../../src/client/index.ts';
import type { Service, ServiceCommands } from '../../src/client/service/index.ts';
import { type commands, registry } from '../../src/commands/registry.ts';
import { type serviceCommands, serviceRegistry } from '../../src/commands/service/registry.ts';
import { clientTypesSource, serviceTypesSource } from '../../tools/clientTypes.ts';

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

type ServiceDefinition = (typeof serviceCommands)[number];

type InferredService = {
  [D in ServiceDefinition as D['type']]: {
    params: keyof Static<D['params']> extends never ? Record<string, never> : Static<D['params']>;
    result: Static<D['result']>;
  };
};

/** The names whose types do not fit those of the schemas. They are narrower: a user is named in one way, an event is a union. */
type Unfit<A, B> = {
  [Name in keyof A | keyof B]: Name extends keyof A & keyof B
    ? Plain<A[Name]> extends Plain<B[Name]>
      ? never
      : Name
    : Name;
}[keyof A | keyof B];

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

describe('the types of the client of services', () => {
  it('are as `npm run docs` writes them', async () => {
    const source = await readFile('src/client/service/commands.ts', 'utf8');
    expect(source).to.equal(serviceTypesSource(serviceRegistry.values(), registry.values()));
  });

  it('fit the schemas, or it does not compile', () => {
    const names: readonly Unfit<ServiceCommands, InferredService>[] = [];
    names satisfies readonly never[];
  });

  it('allow service commands without a user, and those of users for a user, or it does not compile', () => {
    const check = async (service: Service) => {
      await service.call('ping');
      const { data } = await service.call('getUsers', { users: [{ externalId: 'u' }, { userId: 1 }] });
      data satisfies { isBot: boolean }[];
      const user = service.as({ externalId: 'u' });
      await user.call('listLastMessage');
      (await user.call('privateMessage', { receiverId: 1, content: '' })).seq satisfies number;
      service.consume('orders', { types: ['message'] }, (events) => {
        for (const { command, state } of events) {
          if (command === 'messageInGroup') state.groupId satisfies number;
          // @ts-expect-error: not every event has a group
          state.groupId satisfies number;
        }
      });
      // @ts-expect-error: it needs a user
      await service.call('listLastMessage');
      // @ts-expect-error: its pushes would go nowhere
      await service.call('subscribeEvents', { consumer: 'orders' });
      // @ts-expect-error: it is a service command
      await user.call('getUsers', { users: [{ userId: 1 }] });
      // @ts-expect-error: it is about the connection of a user
      await user.call('endSession');
      // @ts-expect-error: content is missing
      await user.call('privateMessage', { receiverId: 1 });
      // @ts-expect-error: a user is named in one way
      service.as({ userId: 1, externalId: 'u' });
      // @ts-expect-error: there are no such events
      service.consume('orders', { types: ['typing'] }, () => {});
    };
    expect(check).to.be.a('function');
  });
});
