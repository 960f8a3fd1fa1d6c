import { expect } from 'chai';
import { MANY_MEMBERS, SHOWN_TYPISTS, Typists } from '../../src/chats/Typists.ts';
import type { ChatId } from '../../src/ids.ts';
import { id } from '../support/ids.ts';

describe('typing in a large group', () => {
  const large = { id: id<ChatId>(1), memberCount: MANY_MEMBERS };

  it('is shown for a few users at a time, until they stop or time out', () => {
    const typists = new Typists();
    for (let user = 1; user <= SHOWN_TYPISTS; user++)
      expect(typists.accepts(large, id(user), true, 0)).to.equal(true);
    expect(typists.accepts(large, id(6), true, 0)).to.equal(false);
    expect(typists.accepts(large, id(6), false, 0), 'no user saw it').to.equal(false);
    expect(typists.accepts(large, id(2), false, 0)).to.equal(true);
    expect(typists.accepts(large, id(6), true, 0)).to.equal(true);
    expect(typists.accepts(large, id(2), true, 6_000)).to.equal(false);
    expect(typists.accepts(large, id(2), true, 6_001)).to.equal(true);
    expect(typists.accepts({ ...large, id: id(2) }, id(7), true, 0), 'in another group').to.equal(true);
  });

  it('is pushed again no sooner than it is visible', () => {
    const typists = new Typists();
    const times = [0, 1_999, 2_000, 3_999, 4_000];
    const shown = times.filter((now) => typists.accepts(large, id(1), true, now));
    expect(shown).to.deep.equal([0, 2_000, 4_000]);
  });

  it('is always pushed when the group is small', () => {
    const typists = new Typists();
    const small = { id: id<ChatId>(1), memberCount: MANY_MEMBERS - 1 };
    for (let user = 1; user <= 20; user++)
      expect(typists.accepts(small, id(1 + (user % 10)), true, 0)).to.equal(true);
  });
});
