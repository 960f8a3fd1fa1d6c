import { mock } from 'node:test';
import { expect } from 'chai';
import { pino } from 'pino';
import type { Connection } from '../../src/socket/Connection.ts';
import { watchSendBuffers } from '../../src/socket/sendBuffers.ts';

describe('the send buffers of all clients', () => {
  beforeEach(() => mock.timers.enable({ apis: ['setInterval'] }));

  /** Watches clients with so many unread bytes each for two seconds; returns which are dropped. */
  function dropped(unread: readonly number[], maxBytes: number) {
    const connections = new Set(unread.map((waitingBytes) => ({ waitingBytes }) as Connection));
    const bytes: number[] = [];
    const lines: object[] = [];
    const watch = watchSendBuffers(
      connections,
      maxBytes,
      (connection) => {
        bytes.push(connection.waitingBytes);
        connections.delete(connection);
      },
      pino({}, { write: (line: string) => lines.push(JSON.parse(line)) }),
    );
    mock.timers.tick(2_000);
    watch.close();
    mock.timers.tick(5_000);
    return { bytes, lines };
  }

  it('are within their limit once those with the most are dropped, and no others', () => {
    const { bytes, lines } = dropped([10, 0, 40, 20, 30], 60);
    expect(bytes).to.deep.equal([40]);
    expect(lines).to.have.length(1);
    expect(lines[0]).to.include({ bytes: 100, maxBytes: 60, clients: 4 });
    expect(dropped([10, 0, 40, 20, 30], 59).bytes).to.deep.equal([40, 30]);
  });

  it('are left alone at their limit', () => {
    expect(dropped([40, 20], 60)).to.deep.equal({ bytes: [], lines: [] });
  });
});
