import { expect } from 'chai';
import { newClients } from '../support/harness.ts';

const MESSAGES = 7;

describe('getMessages', () => {
  it('returns the same part of a chat as a list of all visible messages', async () => {
    const [owner, member] = await newClients(2);
    const { groupId } = await owner.client.done('newGroup', { groupName: `Pages ${owner.id}` });
    await owner.client.done('updateGroup', { groupId, historyFrom: 'joining' });
    await owner.client.done('messageInGroup', { groupId, content: 'before' });
    await owner.client.done('addUserInGroup', { groupId, userId: member.id });
    for (let n = 0; n < MESSAGES; n++) await owner.client.done('messageInGroup', { groupId, content: 'hi' });

    const read = async (params: object) =>
      (await member.client.done('getMessages', { groupId, ...params })) as Answer;
    const visible = (await read({ limit: 100 })).data.map(({ seq }) => seq);
    expect(visible).to.have.length(MESSAGES + 1); // and that the member was added
    const bounds = [undefined, 0, 1, ...visible, Number.MAX_SAFE_INTEGER];
    const cases = bounds.flatMap((afterSeq) =>
      bounds.flatMap((beforeSeq) => [1, 3, 100].map((limit) => ({ afterSeq, beforeSeq, limit }))),
    );
    await Promise.all(
      cases.map(async ({ afterSeq, beforeSeq, limit }) => {
        const matching = visible.filter(
          (seq) => seq > (afterSeq ?? 0) && seq < (beforeSeq ?? Number.POSITIVE_INFINITY),
        );
        const page = afterSeq === undefined ? matching.slice(-limit) : matching.slice(0, limit);
        const { data, more } = await read({ afterSeq, beforeSeq, limit });
        expect(
          { seqs: data.map(({ seq }) => seq), more },
          JSON.stringify({ afterSeq, beforeSeq, limit }),
        ).to.deep.equal({
          seqs: page,
          more: matching.length > page.length,
        });
      }),
    );
  });
});

interface Answer {
  readonly data: readonly { readonly seq: number }[];
  readonly more: boolean;
}
