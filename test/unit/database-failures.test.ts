import { expect } from 'chai';
import pg from 'pg';
import {
  ConnectionLostError,
  endsConnection,
  isRefusedByServer,
  isRepeatable,
  isTimeout,
  isUnavailable,
  levelOf,
  NotConnectedError,
  refusalOf,
  repeatable,
  violatedConstraint,
} from '../../src/database/failures.ts';
import { ApiError } from '../../src/protocol/errors.ts';

/** An error of PostgreSQL. */
function refused(code: string, constraint?: string): pg.DatabaseError {
  const error = new pg.DatabaseError('refused', 0, 'error');
  return Object.assign(error, { code, ...(constraint !== undefined && { constraint }) });
}
/** The same as Sequelize passes it on. */
const wrapped = (original: unknown) => Object.assign(new Error('wrapped'), { original });

const codeOf = (error: unknown, isRead?: boolean) => refusalOf(error, isRead)?.code;

describe('an error of the database', () => {
  it('is UNAVAILABLE if it says nothing about the statement', () => {
    for (const code of [
      ...['08006', '08000', '53100', '53200', '53300', '57P01', '57P02', '57P03'], // lost, full, out of memory, stopped
      ...['25006', '25P03', '25P04', '57014', '40001', '40P01'],
    ])
      for (const error of [refused(code), wrapped(refused(code))])
        expect(codeOf(error), code).to.equal('UNAVAILABLE');
    for (const error of [
      new NotConnectedError(new Error('refused')),
      new ConnectionLostError(new Error('reset')),
      wrapped(new ConnectionLostError(new Error('reset'))),
    ])
      expect(codeOf(error)).to.equal('UNAVAILABLE');
    expect(refusalOf(refused('53100'))?.retryAfter).to.equal(1);
  });

  it('is a fault if the statement is wrong', () => {
    for (const code of ['23505', '23514', '42601', '42P01', '22003', '57000', '25000', '25001'])
      expect(codeOf(wrapped(refused(code))), code).to.equal(undefined);
    expect(codeOf(new Error('a bug'))).to.equal(undefined);
    expect(isUnavailable(new TypeError('undefined'))).to.equal(false);
  });

  it('is a TIMEOUT of a read that was cancelled, and stays what it is if it is a refusal', () => {
    expect(isTimeout(wrapped(refused('57014')))).to.equal(true);
    expect(codeOf(wrapped(refused('57014')), true)).to.equal('TIMEOUT');
    expect(codeOf(wrapped(refused('57P01')), true)).to.equal('UNAVAILABLE');
    const refusal = new ApiError('NOT_FOUND');
    expect(refusalOf(refusal, true)).to.equal(refusal);
  });

  it('leaves it open whether a commit succeeded, unless the server refused the statement', () => {
    for (const code of ['23505', '40001', '57014', '53100'])
      expect(isRefusedByServer(wrapped(refused(code))), code).to.equal(true);
    for (const error of [refused('57P01'), refused('08006'), new ConnectionLostError(new Error('reset'))])
      expect(isRefusedByServer(error)).to.equal(false);
    for (const [code, isEnd] of [
      ['57P01', true],
      ['08006', true],
      ['25P03', true],
      ['57014', false],
      ['53100', false],
    ] as const)
      expect(endsConnection(refused(code)), code).to.equal(isEnd);
  });

  it('names a violated unique constraint only', () => {
    expect(violatedConstraint(wrapped(refused('23505', 'users_email_key')))).to.equal('users_email_key');
    expect(violatedConstraint(refused('23514', 'users_check'))).to.equal(undefined);
  });

  it('of recurring work is logged as a warning if it is not part of an outage', () => {
    expect(levelOf(refused('57P01'))).to.equal('debug');
    expect(levelOf(refused('40P01'))).to.equal('debug');
    expect(levelOf(refused('23514'))).to.equal('warn');
  });
});

describe('a transaction', () => {
  /** Runs one that fails so often, and returns its runs and its outcome. */
  async function run(failures: number, error: unknown) {
    let runs = 0;
    const outcome = await repeatable(async () => {
      if (++runs <= failures) throw error;
      return 'done';
    }).catch((reason) => reason);
    return [runs, outcome];
  }

  it('is repeated after a conflict with another one, up to four times', async () => {
    for (const conflict of [
      refused('40001'),
      wrapped(refused('40P01')),
      refused('23505', 'messages_once_per_sender'),
    ]) {
      expect(isRepeatable(conflict)).to.equal(true);
      expect(await run(4, conflict)).to.deep.equal([5, 'done']);
      expect(await run(5, conflict)).to.deep.equal([5, conflict]);
    }
  });

  it('is not repeated after any other error', async () => {
    for (const error of [refused('23505', 'users_email_key'), refused('57P01'), new ApiError('CONFLICT')])
      expect(await run(1, error)).to.deep.equal([1, error]);
  });
});
