import { type Sequelize, Transaction, type TransactionOptions } from 'sequelize';

/**
 * A transaction of Sequelize that writes nothing to the console when its connection is lost; the caller receives the
 * error.
 */
export class QuietTransaction extends Transaction {
  /* Members missing in the types of Sequelize: the state, the BEGIN, and the release of the connection. */
  declare finished?: 'commit' | 'rollback';
  declare prepareEnvironment: (useCls: boolean) => Promise<void>;
  declare cleanup: () => void;
  declare forceCleanup: () => Promise<void>;
  readonly #sequelize: Sequelize;

  /** Begins a transaction. */
  static async begin(sequelize: Sequelize, options: TransactionOptions = {}): Promise<QuietTransaction> {
    const transaction = new QuietTransaction(sequelize, options);
    await transaction.prepareEnvironment(false);
    return transaction;
  }

  constructor(sequelize: Sequelize, options: TransactionOptions) {
    super(sequelize, options);
    this.#sequelize = sequelize;
  }

  override commit(): Promise<void> {
    return this.#end('commit');
  }

  override rollback(): Promise<void> {
    return this.#end('rollback');
  }

  async #end(how: 'commit' | 'rollback'): Promise<void> {
    try {
      await this.#sequelize.query(how.toUpperCase(), { transaction: this });
      this.cleanup();
    } catch (error) {
      await this.forceCleanup(); // the state of the connection is unknown
      throw error;
    } finally {
      this.finished = how;
    }
  }
}
