import { expect } from 'chai';
import { GRACE, OnlineUsers } from '../../src/presence/OnlineUsers.ts';
import { VirtualTime } from '../support/virtualTime.ts';

describe('the users who are online on a node', () => {
  let time: VirtualTime;
  let users: OnlineUsers;
  let left: number[];

  beforeEach(() => {
    time = new VirtualTime();
    left = [];
    users = new OnlineUsers((userId) => left.push(userId), time.schedule);
  });

  it('come with their first connection', () => {
    expect([users.opened(7), users.opened(7), users.opened(8)]).to.deep.equal([true, false, true]);
  });

  it('leave when the grace period has passed after their last connection', async () => {
    for (let times = 0; times < 2; times++) users.opened(7);
    users.closed(7);
    await time.advance(GRACE);
    expect(left).to.deep.equal([]);
    users.closed(7);
    await time.advance(GRACE - 1);
    expect(left).to.deep.equal([]);
    await time.advance(1);
    expect(left).to.deep.equal([7]);
    expect(users.opened(7), 'comes again').to.equal(true);
  });

  it('stay when they connect again within the grace period, which begins anew with the next close', async () => {
    users.opened(7);
    users.closed(7);
    await time.advance(GRACE - 1);
    expect(users.opened(7)).to.equal(false);
    await time.idle();
    expect(left).to.deep.equal([]);
    users.closed(7);
    await time.advance(GRACE - 1);
    expect(left).to.deep.equal([]);
    await time.advance(1);
    expect(left).to.deep.equal([7]);
  });

  it('leave each at their own time', async () => {
    for (const userId of [7, 8]) users.opened(userId);
    users.closed(7);
    await time.advance(1);
    users.closed(8);
    await time.advance(GRACE - 1);
    expect(left).to.deep.equal([7]);
    await time.advance(1);
    expect(left).to.deep.equal([7, 8]);
  });

  it('do not leave after the node has closed', async () => {
    users.opened(7);
    users.closed(7);
    users.close();
    await time.idle();
    expect(left).to.deep.equal([]);
  });
});
