/** A row as it goes over the wire: times as ISO 8601, UTC, with milliseconds. */
export type Wire<Row> = {
  [Key in keyof Row]: Date extends Row[Key] ? Exclude<Row[Key], Date> | string : Row[Key];
};

/** Turns the times of a row into text; everything else stays as it is. */
export function wire<Row extends object>(row: Row): Wire<Row> {
  const copy = { ...row };
  for (const key in copy) {
    const value: unknown = copy[key];
    if (value instanceof Date) Object.assign(copy, { [key]: value.toISOString() });
  }
  return copy as Wire<Row>;
}
