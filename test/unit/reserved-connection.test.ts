import { expect } from 'chai';
import pg from 'pg';
import { reserveConnection } from '../../src/database/reserved.ts';

/** A connection that fails as the test says. */
class FakeClient {
  static made: FakeClient[] = [];
  static openingError: Error | undefined;
  queryError: Error | undefined;
  isEnded = false;
  #onError: () => void = () => {};

  constructor() {
    FakeClient.made.push(this);
  }

  on(_: string, listener: () => void): void {
    this.#onError = listener;
  }

  async connect(): Promise<void> {
    if (FakeClient.openingError) throw FakeClient.openingError;
  }

  async query(): Promise<{ rows: object[] }> {
    if (this.queryError) throw this.queryError;
    return { rows: [{ connection: FakeClient.made.indexOf(this) }] };
  }

  async end(): Promise<void> {
    this.isEnded = true;
  }

  lose(): void {
    this.#onError();
  }
}

describe('a reserved connection', () => {
  const open = () => reserveConnection(FakeClient as unknown as new () => pg.Client);
  const statement = { text: 'select 1' };

  beforeEach(() => {
    [FakeClient.made, FakeClient.openingError] = [[], undefined];
  });

  it('is opened once by simultaneous queries, and ended by its owner', async () => {
    const reserved = open();
    const rows = await Promise.all([1, 2, 3].map(() => reserved.query(statement)));
    expect(rows.flat()).to.deep.equal([{ connection: 0 }, { connection: 0 }, { connection: 0 }]);
    await reserved.close();
    expect(FakeClient.made.map(({ isEnded }) => isEnded)).to.deep.equal([true]);
  });

  it('is opened again after it could not be opened', async () => {
    const reserved = open();
    FakeClient.openingError = new Error('away');
    for (let times = 0; times < 2; times++)
      expect(await reserved.query(statement).catch(({ message }) => message)).to.equal('away');
    FakeClient.openingError = undefined;
    expect(await reserved.query(statement)).to.deep.equal([{ connection: 2 }]);
  });

  it('is replaced after it was lost, during a query or between two, and kept after a conflict', async () => {
    const reserved = open();
    await reserved.query(statement);
    const [first] = FakeClient.made as [FakeClient];
    const conflict = Object.assign(new pg.DatabaseError('deadlock', 0, 'error'), { code: '40P01' });
    first.queryError = conflict;
    expect(await reserved.query(statement).catch((error) => error)).to.equal(conflict);
    first.queryError = undefined;
    expect(await reserved.query(statement)).to.deep.equal([{ connection: 0 }]);

    first.queryError = new Error('reset');
    expect(await reserved.query(statement).catch(({ message }) => message)).to.equal('reset');
    expect(first.isEnded).to.equal(true);
    expect(await reserved.query(statement)).to.deep.equal([{ connection: 1 }]);
    FakeClient.made[1]?.lose();
    expect(await reserved.query(statement)).to.deep.equal([{ connection: 2 }]);
    first.lose(); // which is not in use any more
    expect(await reserved.query(statement)).to.deep.equal([{ connection: 2 }]);
  });

  it('is replaced at once by one that prepares its statements after a migration', async () => {
    const reserved = open();
    await reserved.query(statement);
    const [first] = FakeClient.made as [FakeClient];
    first.queryError = Object.assign(new Error('cached plan must not change result type'), { code: '0A000' });
    expect(await reserved.query(statement)).to.deep.equal([{ connection: 1 }]);
  });
});
