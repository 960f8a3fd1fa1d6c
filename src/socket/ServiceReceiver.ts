import type { Scope } from '../auth/apiKeys.ts';
import type { Command } from '../commands/define.ts';
import type { ServiceContext, ServiceServices } from '../commands/service/context.ts';
import type { ServiceCommand } from '../commands/service/define.ts';
import type { ConnectionEvents } from '../events/EventFeed.ts';
import type { UserId } from '../ids.ts';
import { HOLD_BYTES } from '../limits.ts';
import { CloseCode } from '../protocol/closeCodes.ts';
import { ApiError } from '../protocol/errors.ts';
import { encodeError, type Request, readRequest, UNKNOWN_TYPE } from '../protocol/frames.ts';
import type { ActingUsers } from './ActingUsers.ts';
import { type ActingReference, actingReference, isOwner } from './actingReference.ts';
import { CommandQueue } from './CommandQueue.ts';
import { TIME_AFTER_DISCONNECT, WITH_REFUSALS } from './CommandReceiver.ts';
import { CommandRunner } from './CommandRunner.ts';
import { CommandTask, type Executor, REQUEST_BYTES } from './CommandTask.ts';
import { actingContextOf } from './commandContext.ts';
import type { ServiceRateLimiter, ServiceRateLimiters } from './rateLimits.ts';
import type { ReceiverServices } from './receiverServices.ts';
import { BINARY, overloaded, tooManyCommands, unknownType } from './replies.ts';
import type { ServiceConnection } from './ServiceConnection.ts';
import type { Receiver } from './SocketConnection.ts';
import { UnansweredBytes } from './UnansweredBytes.ts';
import { UserQueue } from './UserQueue.ts';

/** Shared by the receivers of the service connections of a node. */
export interface ServiceReceiverServices extends ReceiverServices {
  readonly services: ServiceServices;
  readonly serviceCommands: ReadonlyMap<string, ServiceCommand>;
  readonly users: ActingUsers;
  /** Undefined where rates are not limited. */
  readonly serviceRateLimiterOf: ServiceRateLimiters | undefined;
}

/** A valid request: a command of a user, or a service command. */
type Call =
  | { readonly command: Command; readonly as: ActingReference }
  | { readonly command: ServiceCommand; readonly as?: undefined };

/**
 * The receiving end of a service connection. The commands of each user run in their order, beside those of other users, and
 * so do service commands. What is refused before it runs is answered at once.
 */
export class ServiceReceiver implements Receiver, Executor<ServiceCommand> {
  readonly #shared: ServiceReceiverServices;
  readonly #connection: ServiceConnection;
  readonly #events: ConnectionEvents;
  readonly #context: ServiceContext;
  readonly #runner: CommandRunner;
  readonly #memory: UnansweredBytes;
  readonly #rateLimiter: ServiceRateLimiter | undefined;
  readonly #serviceCommands: CommandQueue;
  /** The users for whom something is not answered yet. */
  readonly #users = new Map<UserId, UserQueue>();
  #unanswered = 0;
  /** Requests that wait until it is known which user they name, and the last of them. */
  #unplaced = 0;
  #placed: Promise<void> = Promise.resolve();
  #isStopped = false;

  constructor(shared: ServiceReceiverServices, connection: ServiceConnection) {
    const { key, id, owner } = connection;
    const name = `key ${key.id}`;
    this.#shared = shared;
    this.#connection = connection;
    this.#events = shared.services.events.connect((frame) => connection.send(frame));
    this.#context = { ...shared.services, key, connectionEvents: this.#events };
    this.#runner = new CommandRunner(shared, () => `service-${id}`, owner);
    this.#memory = new UnansweredBytes(shared.budget.of(name));
    this.#rateLimiter = shared.serviceRateLimiterOf?.(key.id);
    this.#serviceCommands = this.#newQueue();
  }

  unanswered(): number {
    return this.#isStopped ? 0 : this.#unanswered;
  }

  onFrame(frame: string): void {
    this.#accept(frame, readRequest(frame));
  }

  onBinary(): void {
    this.#accept('', BINARY);
  }

  onDrain(): void {
    this.#serviceCommands.resume();
    for (const { commands } of this.#users.values()) commands.resume();
  }

  onDisconnect(): void {
    this.#events.close();
    if (this.#unanswered === 0) return;
    this.onDrain();
    setTimeout(() => this.stop(), TIME_AFTER_DISCONNECT).unref();
  }

  stop(): void {
    this.#isStopped = true;
    this.#events.close();
    this.#serviceCommands.stop();
    for (const { commands } of this.#users.values()) commands.stop();
  }

  revoke(): void {
    this.#shared.services.writer.discard(this.#connection.id);
  }

  /** Runs a service command and calls `answer` with its reply. */
  execute(command: ServiceCommand, { id, params }: Request, answer: (reply: string) => void): void {
    this.#runner.run(command, id, (_, done) => command.execute(params, this.#context, done), answer);
  }

  #accept(frame: string, request: Request): void {
    if (this.#connection.state === 'closed') return;
    this.#connection.isUsed = true;
    const bytes = REQUEST_BYTES + 2 * frame.length; // no string takes more than two bytes a character
    try {
      const call = this.#callOf(request);
      if (!this.#hasRoomFor(bytes)) return this.#closeFull();
      if (!this.#memory.fits(bytes)) throw overloaded();
      this.#unanswered++;
      if (call.as) this.#act(call.command, call.as, frame, bytes);
      else this.#serviceCommands.push(new CommandTask(this, call.command, frame, request, bytes));
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      const { serviceCommands, commands, metrics } = this.#shared;
      const isKnown = serviceCommands.has(request.type) || commands.has(request.type);
      metrics.commandRefused(isKnown ? request.type : UNKNOWN_TYPE, error);
      this.#connection.send(encodeError(request.type, error, request.id));
    }
  }

  /** Returns the command that a request asks for; throws where the key does not allow it, or something is wrong. */
  #callOf(request: Request): Call {
    const { type, as, problem } = request;
    const { serviceCommands, commands } = this.#shared;
    const registry: ReadonlyMap<string, Command | ServiceCommand> =
      as === undefined ? serviceCommands : commands;
    const seconds = this.#rateLimiter?.take(registry.get(type)); // what is wrong costs, too
    if (seconds !== undefined) throw tooManyCommands(seconds);
    if (problem) throw problem;
    return as === undefined ? this.#serviceCall(type) : this.#userCall(request);
  }

  #serviceCall(type: string): Call {
    const { serviceCommands, commands } = this.#shared;
    const command = serviceCommands.get(type);
    if (!command) throw commands.has(type) ? needsUser(type) : this.#unknownType(type);
    if (command.scope) this.#assertScope(command.scope);
    return { command };
  }

  #userCall(request: Request): Call {
    const { type } = request;
    const { serviceCommands, commands } = this.#shared;
    this.#assertScope(isOwner(request) ? 'groups' : 'act');
    const command = commands.get(type);
    if (!command) throw serviceCommands.has(type) ? needsNoUser(type) : this.#unknownType(type);
    if (command.isOfConnection) throw ofConnection(type);
    if (isOwner(request) && !command.managesGroup) throw notOfOwner(type);
    const as = actingReference(request);
    const seconds = this.#rateLimiter?.takeOwn(command, as);
    if (seconds !== undefined) throw tooManyCommands(seconds);
    return { command, as };
  }

  #assertScope(scope: Scope): void {
    if (!this.#connection.key.scopes.includes(scope))
      throw new ApiError('FORBIDDEN', `This key does not have the scope ${scope}`);
  }

  #unknownType(type: string): ApiError {
    const { serviceCommands, commands } = this.#shared;
    return unknownType(type, [...serviceCommands.keys(), ...commands.keys()]);
  }

  #hasRoomFor(bytes: number): boolean {
    const { limits } = this.#shared.services;
    const memory = this.#memory;
    return (
      this.#unanswered === 0 ||
      (this.#unanswered < limits.unansweredPerConnection &&
        memory.total + bytes <= limits.unansweredBytesPerConnection &&
        memory.fits(bytes, WITH_REFUSALS))
    );
  }

  #closeFull(): void {
    this.#shared.metrics.limited('unanswered');
    this.#connection.close(CloseCode.TooManyRequests, 'Too many unanswered requests');
  }

  /** Adds a command to the queue of its user, once it is known who that is, and in the order of the requests. */
  #act(command: Command, as: ActingReference, frame: string, bytes: number): void {
    const place = (userId: UserId) => {
      const queue = this.#queueOf(userId);
      queue.commands.push(new CommandTask(queue, command, frame, readRequest(frame), bytes));
    };
    const userId = this.#shared.users.idOf(as);
    if (typeof userId === 'number' && this.#unplaced === 0) return place(userId);
    this.#unplaced++;
    this.#memory.add(bytes);
    const found = Promise.resolve(userId).then(
      (id) => () => place(id),
      (error: unknown) => () => this.#answerRefused(command, frame, error),
    );
    this.#placed = this.#placed
      .then(() => found)
      .then((next) => {
        this.#unplaced--;
        this.#memory.add(-bytes);
        if (!this.#isStopped) next();
      });
  }

  /** Answers a request that names nobody, or whose user could not be read. */
  #answerRefused(command: Command, frame: string, error: unknown): void {
    this.#unanswered--;
    const { id } = readRequest(frame);
    this.#runner.run(
      command,
      id,
      (_, done) => done({ error }),
      (reply) => this.#connection.send(reply),
    );
  }

  #queueOf(userId: UserId): UserQueue {
    const known = this.#users.get(userId);
    if (known) return known;
    const { users, services } = this.#shared;
    const queue = this.#newQueue(() => {
      if (queue.length === 0) this.#users.delete(userId);
    });
    const context = actingContextOf(services, userId, this.#connection.id, queue);
    const isStopped = () => this.#isStopped;
    const runner = this.#runner;
    const userQueue = new UserQueue({ userId, queue, context, users, runner, isStopped });
    this.#users.set(userId, userQueue);
    return userQueue;
  }

  #newQueue(answered: () => void = () => {}): CommandQueue {
    const connection = this.#connection;
    return new CommandQueue({
      send: (reply) => {
        this.#unanswered--;
        answered();
        connection.send(reply);
      },
      hasRoom: () => connection.waitingBytes <= HOLD_BYTES,
      memory: this.#memory,
    });
  }
}

const needsUser = (type: string) =>
  new ApiError(
    'BAD_REQUEST',
    `${type} needs as, the user who sends it: { "userId": … } or { "externalId": … }`,
  );

const needsNoUser = (type: string) =>
  new ApiError('BAD_REQUEST', `${type} is a service command, and is sent without as`);

const ofConnection = (type: string) =>
  new ApiError('BAD_REQUEST', `${type} is about the connection of a user, and cannot be sent with as`);

const notOfOwner = (type: string) =>
  new ApiError(
    'BAD_REQUEST',
    `${type} does not manage a group, and is not sent as the owner of one: expected as { "userId": … } or { "externalId": … }`,
  );
