/** The resources that a target has used so far: processor time in microseconds, and bytes of write-ahead log. */
export interface Usage {
  /** Of all nodes. */
  readonly server: number;
  /** Of all processes of PostgreSQL. */
  readonly database: number;
  /** Of the NATS server, if there is one. */
  readonly broker: number;
  readonly wal: number;
}

/** Figures that a scenario measured, by their names; the unit is part of the name. */
export type Figures = Readonly<Record<string, number>>;

/** Returns the costs per operation of `count` operations between two readings. */
export function costPer(count: number, from: Usage, to: Usage): Figures {
  const per = (resource: keyof Usage) => (to[resource] - from[resource]) / count;
  const [server, database, broker] = [per('server'), per('database'), per('broker')];
  return {
    'server µs': server,
    'database µs': database,
    ...(broker > 0 && { 'broker µs': broker }),
    'work µs': server + database + broker,
    'WAL bytes': per('wal'),
  };
}
