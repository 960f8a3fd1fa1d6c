import fc from 'fast-check';
import { type ChatName, GROUPS, PEOPLE, type World } from './world.ts';

/* The params of steps. */

/** Some chats and users occur more often than others, so that many steps meet. */
export const chat: fc.Arbitrary<ChatName> = fc.oneof(
  fc.constantFrom(...PEOPLE, ...GROUPS),
  fc.constantFrom('Ada', 'Bob', 'group 1', 'group 1'),
);
export const group = fc.constantFrom(...GROUPS, 'group 1' as const);
export const user = fc.constantFrom(...PEOPLE);
/** The distance from the newest message. */
export const back = fc.oneof({ weight: 4, arbitrary: fc.nat(3) }, { weight: 1, arbitrary: fc.nat(12) });
export const message = { chat, back };

/** Absent this many times as often as present. */
export const maybe = <T>(arbitrary: fc.Arbitrary<T>, without = 1) =>
  fc.oneof({ weight: without, arbitrary: fc.constant(undefined) }, { weight: 1, arbitrary });

export const custom = fc.record({ n: fc.nat(9) });
export const text = { text: fc.nat(999), mentions: fc.subarray([...PEOPLE], { maxLength: 2 }) };
export type Text = { readonly text: number; readonly mentions: readonly (typeof PEOPLE)[number][] };

/** Returns the content of a message, which mentions users by their current names. */
export const contentOf = (world: World, { text, mentions }: Text): string =>
  [`text ${text}`, ...mentions.map((name) => `@${world.person(name).username}`)].join(' ');
