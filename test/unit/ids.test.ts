import { expect } from 'chai';
import { userTopic } from '../../src/bus/topics.ts';
import type { Commands, Pushes } from '../../src/client/protocol.ts';
import type { ChatId, UserId } from '../../src/ids.ts';
import { id } from '../support/ids.ts';

/* The compiler checks most of it: a line that must not compile and does is an error. */

/** The same type with plain numbers instead of ids. */
type WithNumbers<T> = T extends number ? number : { [Key in keyof T]: WithNumbers<T[Key]> };

describe('an id', () => {
  it('of a user is neither a plain number nor the id of a chat', () => {
    const [user, chat] = [id<UserId>(1), id<ChatId>(1)];
    // @ts-expect-error: a plain number
    userTopic(1);
    // @ts-expect-error: the id of a chat
    userTopic(chat);
    expect(userTopic(user)).to.equal('user:1');
  });

  it('of a user is not compared with the id of a chat', () => {
    const [user, chat] = [id<UserId>(1), id<ChatId>(1)];
    // @ts-expect-error: they have nothing in common
    expect(user === chat).to.equal(true);
  });

  it('is a plain number in all params, results and pushes of the typed client', () => {
    const commands: Partial<Commands> = {} as WithNumbers<Partial<Commands>>;
    const pushes: Partial<Pushes> = {} as WithNumbers<Partial<Pushes>>;
    const params: Commands['addUserInGroup']['params'] = { groupId: 1, userId: 2 };
    expect([commands, pushes, params]).to.deep.equal([{}, {}, { groupId: 1, userId: 2 }]);
  });
});
