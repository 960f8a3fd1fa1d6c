import fc from 'fast-check';
import { kind } from './kind.ts';
import { chat, contentOf, text, user } from './params.ts';

/* Actions on the long-lived client. */

const { record, nat } = fc;

export const clientActions = {
  open: kind(6, record({ chat }), ({ world, person }, { chat }) => {
    const address = world.address(chat);
    if (!address) return;
    person.opened.set(chat, address);
    person.client.chat(address).messages;
    return undefined;
  }),

  loadOlder: kind(3, record({ chat, seq: nat(50) }), ({ world, person }, { chat, seq }) => {
    const address = person.opened.get(chat);
    const reading = address && person.client.chat(address).loadOlder(seq || undefined);
    return reading && world.during(`${person.name}: loadOlder of ${chat}`, reading);
  }),

  viewSend: kind(6, record({ chat, ...text }), ({ world, person }, { chat, ...text }) => {
    const address = world.address(chat);
    if (!address) return;
    const sending = person.client.chat(address).send(contentOf(world, text));
    return world.during(`${person.name}: send in ${chat}`, sending);
  }),

  viewRead: kind(5, record({ chat }), ({ world, person }, { chat }) => {
    const address = world.address(chat);
    const marking = address && person.client.chat(address).markRead();
    return marking && world.during(`${person.name}: markRead in ${chat}`, marking);
  }),

  watch: kind(3, record({ user }), ({ world, person }, { user }) => {
    const { id } = world.person(user).user;
    person.watched.add(id);
    person.client.presence(id);
    return undefined;
  }),

  type: kind(1, record({ chat }), ({ world, person, call }, { chat }) => {
    const address = world.address(chat);
    if (!address) return;
    person.typesIn.set(chat, address);
    return call('typing', { ...address, typing: true });
  }),
};
