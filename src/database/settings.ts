/** Settings of PostgreSQL by name. */
export type Settings = Readonly<Record<string, string>>;

/**
 * What the code relies on, whatever the server, the database or the role says by default. Not among it, because an
 * operator may mean it: `search_path`, and `default_transaction_read_only`, with which providers stop a full disk.
 */
export const RELIED_ON: Settings = {
  datestyle: 'ISO, YMD',
  intervalstyle: 'postgres',
  timezone: 'UTC',
  client_min_messages: 'warning',
  standard_conforming_strings: 'on',
  // what null is, in an array and elsewhere
  array_nulls: 'on',
  transform_null_equals: 'off',
  extra_float_digits: '1',
  gin_fuzzy_search_limit: '0',
  default_transaction_isolation: 'read committed',
  // a reply means that the message is on the disk; an operator who wants more of it (remote_apply) is not overruled
  synchronous_commit: 'on',
  // compiling a statement takes longer than running one of ours
  jit: 'off',
  lock_timeout: '0',
  // a frozen node must not keep what it locked
  idle_in_transaction_session_timeout: '15000',
  idle_session_timeout: '0',
  transaction_timeout: '0',
  // our own, for the triggers of migration 0016: who writes a name writes it in folded form, too
  'parley.folds_names': 'on',
};

/**
 * The statement that makes settings, those that this PostgreSQL has: for the connection, or where `isLocal` (an
 * expression) holds for the transaction. Its rows have `is_local`.
 */
export function applySettings(settings: Settings, isLocal: string): string {
  const rows = Object.entries(settings).map(([name, value]) => `('${name}', '${value}')`);
  return `
select set_config(name, value, ${isLocal}), ${isLocal} as is_local
from (values ${rows.join(', ')}) as setting (name, value)
where (current_setting(name, true) is not null or name like 'parley.%')
  and (name <> 'synchronous_commit' or current_setting(name) = 'off')
`;
}
