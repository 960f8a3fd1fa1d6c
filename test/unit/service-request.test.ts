import { expect } from 'chai';
import { encodeServiceRequest } from '../../src/client/service/request.ts';

const ada = { externalId: 'ada' };
const queueOf = (...request: Parameters<typeof encodeServiceRequest>) =>
  encodeServiceRequest(...request).queue;

describe('a request of the client for backends', () => {
  it('has the user beside its params, and an id for a message', () => {
    const { frame } = encodeServiceRequest(7, 'privateMessage', { receiverId: 1, content: 'Hi' }, ada);
    const { params, ...rest } = JSON.parse(frame);
    expect(rest).to.deep.equal({ type: 'privateMessage', as: ada, id: 7 });
    expect(params).to.include({ receiverId: 1, content: 'Hi' }).and.have.property('clientMessageId');
    const own = JSON.parse(encodeServiceRequest(8, 'ping', {}, undefined).frame);
    expect(own).to.deep.equal({ type: 'ping', params: {}, id: 8 });
  });

  it('waits for those of the same user about the same chat, and for no others', () => {
    const send = (groupId: number, as: object) => queueOf(1, 'messageInGroup', { groupId, content: '' }, as);
    expect(send(1, ada)).to.equal(queueOf(2, 'editMessage', { groupId: 1 }, { ...ada }));
    expect(
      new Set([send(1, ada), send(2, ada), send(1, { userId: 1 }), send(1, { userId: 2 })]).size,
    ).to.equal(4);
    const read = (id: number) => queueOf(id, 'getMessages', { groupId: 1 }, ada);
    expect(read(1)).to.not.equal(read(2));
  });

  it('of a service waits for the changes before it, and for nothing if it only reads', () => {
    const change = (id: number, type: 'upsertUsers' | 'disableUsers') => queueOf(id, type, {}, undefined);
    expect(change(1, 'upsertUsers')).to.equal(change(2, 'disableUsers'));
    const read = (id: number) => queueOf(id, 'getUsers', {}, undefined);
    expect(read(1)).to.not.equal(read(2));
    expect(read(1)).to.not.equal(change(1, 'upsertUsers'));
  });

  it('is repeated after a lost connection if its command may be', () => {
    const isRepeatable = (type: 'upsertUsers' | 'revokeTokens') =>
      encodeServiceRequest(1, type, {}, undefined).isRepeatable;
    expect([isRepeatable('upsertUsers'), isRepeatable('revokeTokens')]).to.deep.equal([true, false]);
    expect(encodeServiceRequest(1, 'typing', {}, ada).isRepeatable).to.equal(false);
  });
});
