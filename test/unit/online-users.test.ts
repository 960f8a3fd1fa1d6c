import { expect } from 'chai';
import type { UserId } from '../../src/ids.ts';
import { GRACE, OnlineUsers } from '../../src/presence/OnlineUsers.ts';
import { id } from '../support/ids.ts';
import { VirtualTime } from '../support/virtualTime.ts';

const [ADA, BOB]: readonly [UserId, UserId] = [id(7), id(8)];

describe('the users who are online on a node', () => {
  let time: VirtualTime;
  let users: OnlineUsers;
  let left: UserId[];

  beforeEach(() => {
    time = new VirtualTime();
    left = [];
    users = new OnlineUsers((userId) => left.push(userId), time.schedule);
  });

  it('come with their first connection', () => {
    expect([users.opened(ADA), users.opened(ADA), users.opened(BOB)]).to.deep.equal([true, false, true]);
  });

  it('leave when the grace period has passed after their last connection', async () => {
    for (let times = 0; times < 2; times++) users.opened(ADA);
    users.closed(ADA);
    await time.advance(GRACE);
    expect(left).to.deep.equal([]);
    users.closed(ADA);
    await time.advance(GRACE - 1);
    expect(left).to.deep.equal([]);
    await time.advance(1);
    expect(left).to.deep.equal([ADA]);
    expect(users.opened(ADA), 'comes again').to.equal(true);
  });

  it('stay when they connect again within the grace period, which starts over with the next close', async () => {
    users.opened(ADA);
    users.closed(ADA);
    await time.advance(GRACE - 1);
    expect(users.opened(ADA)).to.equal(false);
    await time.idle();
    expect(left).to.deep.equal([]);
    users.closed(ADA);
    await time.advance(GRACE - 1);
    expect(left).to.deep.equal([]);
    await time.advance(1);
    expect(left).to.deep.equal([ADA]);
  });

  it('leave each at their own time', async () => {
    for (const userId of [ADA, BOB]) users.opened(userId);
    users.closed(ADA);
    await time.advance(1);
    users.closed(BOB);
    await time.advance(GRACE - 1);
    expect(left).to.deep.equal([ADA]);
    await time.advance(1);
    expect(left).to.deep.equal([ADA, BOB]);
  });

  it('do not leave after the node has closed', async () => {
    users.opened(ADA);
    users.closed(ADA);
    users.close();
    await time.idle();
    expect(left).to.deep.equal([]);
  });
});
