/** A row as it is sent: times as ISO 8601, UTC, with milliseconds. */
export type Wire<Row> = {
  [Key in keyof Row]: Date extends Row[Key] ? Exclude<Row[Key], Date> | string : Row[Key];
};

/** Converts the times of a row to text and leaves everything else unchanged. */
export function wire<Row extends object>(row: Row): Wire<Row> {
  const copy = { ...row };
  for (const key in copy) {
    const value: unknown = copy[key];
    if (value instanceof Date) Object.assign(copy, { [key]: value.toISOString() });
  }
  return copy as Wire<Row>;
}
