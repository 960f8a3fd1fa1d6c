import { expect } from 'chai';
import { database, newUser } from '../support/harness.ts';

describe('newGroup', () => {
  it('answers with nulls and the id of the group, whose owner is its creator', async () => {
    const ada = await newUser();
    const a = await ada.connect();
    const { type, success, params } = await a.call('newGroup', { groupName: 'new name' });
    const { groupId, ...fixed } = params;
    expect({ type, success }).to.deep.equal({ type: 'newGroup', success: true });
    expect(fixed).to.deep.equal({ data: null, message: null, senderName: null });
    expect(await database.members.findOne({ where: { chatId: groupId } })).to.include({
      userId: ada.id,
      role: 'owner',
    });
  });

  it('stores a system message as the first message', async () => {
    const ada = await newUser();
    const a = await ada.connect();
    const { groupId } = (await a.call('newGroup', { groupName: 'Crew' })).params;
    const [first] = (await a.call('getlatestMessageGroup', { groupId })).params.data;
    expect(first).to.include({
      seq: 1,
      kind: 'system',
      sender_id: ada.id,
      content: `${ada.username} created the group "Crew"`,
    });
  });

  it('pushes to the other connections of its creator, which receive its messages', async () => {
    const ada = await newUser();
    const [a1, a2] = [await ada.connect(), await ada.connect()];
    const { groupId } = (await a1.call('newGroup', { groupName: 'Crew' })).params;
    expect((await a2.push('newGroup')).params).to.include({
      groupId,
      groupName: 'Crew',
      seq: 1,
      userId: ada.id,
    });
    await a1.call('messageInGroup', { groupId, content: 'hello, me' });
    expect((await a2.push('messageInGroup')).params).to.include({ groupId, message: 'hello, me' });
  });

  it('allows two groups with the same name', async () => {
    const a = await (await newUser()).connect();
    const [one, two] = await Promise.all([1, 2].map(() => a.call('newGroup', { groupName: 'Twins' })));
    expect(one.params.groupId).not.to.equal(two.params.groupId);
  });

  it('refuses a name that is missing, empty, too long or not a string', async () => {
    const a = await (await newUser()).connect();
    const expected = [
      [{}, 'params.groupName is required'],
      [{ groupName: '' }, 'params.groupName must have at least 1 characters'],
      [{ groupName: 'x'.repeat(101) }, 'params.groupName must have at most 100 characters'],
      [{ groupName: 7 }, 'params.groupName must be a string'],
      [
        { groupName: 'x', owner: 1 },
        'params.owner is not known; expected only groupName, description, isPrivate, whoMayAdd, whoMayPost, slowModeSeconds, historyFrom, custom, userIds, clientMessageId',
      ],
    ] as const;
    for (const [params, message] of expected)
      expect(await a.call('newGroup', params)).to.include({ error: true, code: 'BAD_REQUEST', message });
  });
});
