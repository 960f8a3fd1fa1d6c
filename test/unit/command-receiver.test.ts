import { mock } from 'node:test';
import { expect } from 'chai';
import { pino } from 'pino';
import { ByteBudget } from '../../src/ByteBudget.ts';
import type { CommandServices } from '../../src/commands/context.ts';
import type { Command, Outcome } from '../../src/commands/define.ts';
import { defaultLimits, HOLD_BYTES, type Limits } from '../../src/limits.ts';
import type { Metrics } from '../../src/observability/metrics.ts';
import { TimeoutLog } from '../../src/observability/TimeoutLog.ts';
import { LimitError } from '../../src/protocol/errors.ts';
import { CommandReceiver } from '../../src/socket/CommandReceiver.ts';
import { Connection } from '../../src/socket/Connection.ts';
import type { Socket } from '../../src/socket/SocketConnection.ts';
import { claims } from '../support/claims.ts';
import { id } from '../support/ids.ts';

/** The receiver of an open connection, with a command `wait` that the test answers. */
function newReceiver(limits: Partial<Limits> = {}) {
  const calls: string[] = [];
  const lines: object[] = [];
  const started: ((outcome: Outcome) => void)[] = [];
  const socket = {
    unread: 0,
    getBufferedAmount: () => socket.unread,
    send: (frame: Buffer) => calls.push(`send ${JSON.parse(frame.toString()).code ?? 'ok'}`),
    end: (code: number) => calls.push(`end ${code}`),
    subscribe: () => true,
  };
  const connection = new Connection(id(1), claims, '127.0.0.1', null, (_, frame) => socket.send(frame));
  connection.sessionId = id(40);
  connection.open(socket as unknown as Socket);
  const command = {
    type: 'wait',
    pipelined: false,
    reads: false,
    cost: 1,
    execute: (_: unknown, __: unknown, done: (outcome: Outcome) => void) => started.push(done),
  } as unknown as Command;
  const log = pino({ level: 'debug' }, { write: (line: string) => lines.push(JSON.parse(line)) });
  const receiver = new CommandReceiver(
    {
      commands: new Map([['wait', command]]),
      services: { log, limits: { ...defaultLimits, ...limits } } as unknown as CommandServices,
      metrics: {
        commandDone: (type: string, code: string) => calls.push(`done ${type} ${code}`),
        commandRefused: (type: string, { code }: { code: string }) => calls.push(`refused ${type} ${code}`),
        limitReached: (refusal: unknown) => refusal instanceof LimitError && calls.push(refusal.limit),
        limited: (limit: string) => calls.push(limit),
      } as unknown as Metrics,
      tracing: undefined,
      isVerbose: true,
      rateLimiterOf: undefined,
      budget: new ByteBudget(defaultLimits.unansweredBytes, 1),
      timeouts: new TimeoutLog(log),
    },
    connection,
  );
  connection.receiver = receiver;
  const ask = (params = {}, type = 'wait') => receiver.onFrame(JSON.stringify({ type, params, id: 1 }));
  return { calls, lines, started, socket, connection, receiver, ask };
}

const done: Outcome = { fields: {} };

describe('the receiver of a connection', () => {
  it('starts commands whose client does not read once it has read, or is gone', () => {
    for (const event of ['onDrain', 'onDisconnect'] as const) {
      const { socket, started, receiver, ask } = newReceiver();
      socket.unread = HOLD_BYTES + 1;
      ask();
      expect(started, event).to.have.length(0);
      socket.unread = HOLD_BYTES;
      receiver[event]();
      expect(started, event).to.have.length(1);
      receiver.stop();
    }
  });

  it('starts what waits for another second after its client has left, and then no more', () => {
    mock.timers.enable({ apis: ['setTimeout'] });
    const { started, receiver, connection, ask } = newReceiver();
    for (let n = 0; n < 3; n++) ask();
    connection.removed();
    receiver.onDisconnect();
    mock.timers.tick(999);
    started[0]?.(done);
    expect(started).to.have.length(2);
    mock.timers.tick(1);
    started[1]?.(done);
    mock.timers.reset();
    expect([started.length, receiver.unanswered()]).to.deep.equal([2, 0]);
  });

  it('takes no frames of a connection that is closed', () => {
    const { started, calls, connection, receiver, ask } = newReceiver();
    connection.close(1001, 'The server is stopping');
    ask();
    ask({}, 'nothing');
    receiver.onBinary();
    expect([started.length, receiver.unanswered(), calls]).to.deep.equal([0, 0, ['end 1001']]);
  });

  it('takes a frame of any size while no other is unanswered, and closes with 4429 on one too many', () => {
    const { started, calls, ask, connection } = newReceiver({ unansweredBytesPerConnection: 1_000 });
    ask({ text: 'x'.repeat(10_000) });
    expect([started.length, connection.state]).to.deep.equal([1, 'open']);
    ask();
    expect(calls).to.deep.equal(['unanswered', 'end 4429']);
  });

  it('has as many unanswered commands as allowed, refused ones too', () => {
    const { calls, ask, connection } = newReceiver({ unansweredPerConnection: 3 });
    ask();
    ask({}, 'nothing');
    ask();
    expect(connection.state).to.equal('open');
    ask();
    expect(calls).to.deep.equal(['refused unknown UNKNOWN_TYPE', 'unanswered', 'end 4429']);
  });

  it('counts each command by its outcome, and the limit that refused it', () => {
    const { started, calls, lines, ask } = newReceiver();
    ask();
    ask();
    ask();
    started[0]?.(done);
    started[1]?.({ error: new LimitError('groups', 'FORBIDDEN', 'At most 2 groups') });
    started[2]?.({ error: new Error('a fault') });
    expect(calls).to.deep.equal([
      ...['done wait ok', 'send ok', 'groups', 'done wait FORBIDDEN', 'send FORBIDDEN'],
      ...['done wait INTERNAL', 'send INTERNAL'],
    ]);
    const logged = lines.map((line) => [Reflect.get(line, 'msg'), Reflect.get(line, 'requestId')]);
    expect(logged).to.deep.equal([
      ...[
        ['command', '40.1'],
        ['command', '40.2'],
      ],
      ...[
        ['command failed', '40.3'],
        ['command', '40.3'],
      ],
    ]);
  });

  it('logs a change that timed out, and asks its client to try again', () => {
    const { started, calls, lines, ask } = newReceiver();
    ask();
    started[0]?.({ error: Object.assign(new Error('canceling statement'), { code: '57014' }) });
    expect(calls.at(-1)).to.equal('send UNAVAILABLE');
    expect(lines[0]).to.include({ msg: 'statement timed out', type: 'wait', userId: 7, requestId: '40.1' });
  });
});
