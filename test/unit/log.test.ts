import { expect } from 'chai';
import { createLog } from '../../src/observability/log.ts';

type Line = Readonly<Record<string, unknown>> & { readonly err: Readonly<Record<string, unknown>> };

/** Returns the lines that a log writes. */
function logged(
  write: (log: ReturnType<typeof createLog>) => void,
  faults?: Parameters<typeof createLog>[0]['faults'],
) {
  const lines: Line[] = [];
  write(
    createLog({ level: 'debug', stream: { write: (line) => void lines.push(JSON.parse(line)) }, faults }),
  );
  return lines;
}

describe('the log', () => {
  it('has what identifies an error, and nothing that may be text of users', () => {
    const original = Object.assign(new Error('duplicate key'), {
      ...{ code: '23505', constraint: 'users_email_key', table: 'users', column: 'email', routine: 'check' },
      ...{
        detail: 'Key (email)=(ada@example.com) exists',
        parameters: ['secret words'],
        where: 'secret words',
      },
      ...{ sql: 'insert', dataType: 'text', internalQuery: 'secret words', hint: 'secret words' },
    });
    const error = Object.assign(new Error('Validation error'), {
      original,
      errors: [{ value: 'secret words' }],
    });
    const [line] = logged((log) => log.error({ err: error, requestId: '7.1' }, 'command failed'));
    expect(line).to.include({ level: 50, msg: 'command failed', requestId: '7.1' });
    expect(line?.err).to.include({ type: 'Error', message: 'Validation error' });
    expect(line?.err?.stack).to.be.a('string');
    expect(line?.err?.cause).to.include({
      message: 'duplicate key',
      code: '23505',
      constraint: 'users_email_key',
    });
    expect(JSON.stringify(line)).to.not.match(/secret words|ada@example/);
  });

  it('has the causes of an error, and errors that are none', () => {
    const socket = Object.assign(new Error('connect'), {
      syscall: 'connect',
      address: '127.0.0.1',
      port: 5432,
    });
    const [wrapped, text] = logged((log) => {
      log.warn({ err: new Error('outer', { cause: new Error('middle', { cause: socket }) }) }, 'wrapped');
      log.warn({ err: 'only text' }, 'text');
    }) as [Line, Line];
    const { cause } = wrapped.err as { cause: Line };
    expect(cause).to.include({ message: 'middle' });
    expect(cause.cause).to.include({ syscall: 'connect', address: '127.0.0.1', port: 5432 });
    expect(text.err).to.deep.equal({ message: 'only text' });
  });

  it('reports errors from the level error on, with the fields of the line', () => {
    const reports: unknown[][] = [];
    const faults = { capture: (...report: unknown[]) => reports.push(report), flush: async () => {} };
    const [one, other] = [new Error('one'), new Error('other')];
    logged((log) => {
      log.warn({ err: one }, 'warned');
      log.error({ err: one, requestId: '7.1' }, 'failed');
      log.fatal({ err: other }, 'ended');
      log.error({ requestId: '7.2' }, 'without an error');
      log.error('a sentence');
    }, faults);
    expect(reports).to.deep.equal([
      [one, 'failed', { err: one, requestId: '7.1' }],
      [other, 'ended', { err: other }],
    ]);
  });

  it('has the line although the error cannot be reported', () => {
    const capture = () => {
      throw new Error('no transport');
    };
    const lines = logged((log) => log.error({ err: new Error('one') }, 'failed'), {
      capture,
      flush: async () => {},
    });
    expect(lines.map(({ msg }) => msg)).to.deep.equal(['failed']);
  });
});
