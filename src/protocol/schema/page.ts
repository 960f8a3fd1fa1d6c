import { PAGE_BYTES } from '../../limits.ts';

/** The rows, from the first on, whose JSON fits into a page; at least one, so that a list always goes on. */
export function fitting<Row>(rows: readonly Row[]): Row[] {
  let left = PAGE_BYTES;
  const end = rows.findIndex((row, index) => {
    left -= sizeOf(row);
    return left < 0 && index > 0;
  });
  return end < 0 ? [...rows] : rows.slice(0, end);
}

/** Bytes of a value in JSON, with what separates it from the next. */
const sizeOf = (value: unknown): number => Buffer.byteLength(JSON.stringify(value)) + 1;
