import fc from 'fast-check';
import { kind } from './kind.ts';

/* The faults. Every fault is repaired before the next comparison, if no step repairs it earlier. */

const { constant, constantFrom, nat, record } = fc;

export const faults = {
  cut: kind(5, constant({}), async ({ person }) => person.line.drop()),

  cutInTheMiddle: kind(4, record({ bytes: nat(3_000) }), async ({ person }, { bytes }) =>
    person.line.cutAfter(bytes),
  ),

  loseAnswer: kind(
    4,
    record({
      to: constantFrom('"sync"', '"getMessages"', '"listLastMessage"', '"privateMessage"', '"markRead"'),
    }),
    async ({ person }, { to }) => {
      void person.line.cutBefore(to, 'answer'); // requests are masked
    },
  ),

  goOffline: kind(3, constant({}), ({ world, person }) => world.setLine(person, 'cut')),
  holdLine: kind(3, constant({}), ({ world, person }) => world.setLine(person, 'held')),
  comeBack: kind(6, constant({}), ({ world, person }) => world.setLine(person, 'open')),

  restart: kind(0.3, record({ node: nat(1) }), async ({ world }, { node }) => {
    void world.site.restart(node);
  }),

  cutNats: kind(
    0.5,
    record({ milliseconds: constantFrom(50, 300, 1_000) }),
    async ({ world }, { milliseconds }) => {
      void world.site.cutNats(milliseconds);
    },
  ),
};
