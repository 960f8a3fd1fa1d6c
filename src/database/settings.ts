/** Settings of PostgreSQL by name. */
export type Settings = Readonly<Record<string, string>>;

/**
 * Settings that the code requires, regardless of the defaults of the server, the database or the role. They exclude
 * `search_path` and `default_transaction_read_only` (with which providers protect a full disk), because an operator may
 * have set them on purpose.
 */
export const REQUIRED_SETTINGS: Settings = {
  datestyle: 'ISO, YMD',
  intervalstyle: 'postgres',
  timezone: 'UTC',
  client_min_messages: 'warning',
  standard_conforming_strings: 'on',
  // the meaning of null, in arrays and elsewhere
  array_nulls: 'on',
  transform_null_equals: 'off',
  extra_float_digits: '1',
  gin_fuzzy_search_limit: '0',
  default_transaction_isolation: 'read committed',
  // a reply means that the message is on the disk; stricter values of an operator (remote_apply) are kept
  synchronous_commit: 'on',
  // compiling a statement takes longer than running it
  jit: 'off',
  lock_timeout: '0',
  // a frozen node must not keep its locks
  idle_in_transaction_session_timeout: '15000',
  idle_session_timeout: '0',
  transaction_timeout: '0',
  // for the triggers of migration 0016: this server writes folded names itself
  'parley.folds_names': 'on',
};

/**
 * Returns a statement that applies those of the settings that this PostgreSQL supports: to the connection, or to the
 * transaction if the SQL expression `isLocal` is true. Its rows contain `is_local`.
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
