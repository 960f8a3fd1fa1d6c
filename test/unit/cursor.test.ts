import { expect } from 'chai';

import { PAGE_BYTES } from '../../src/limits.ts';
import { type CursorSigner, type Cursors, createCursorSigner } from '../../src/protocol/cursor.ts';
import { ApiError } from '../../src/protocol/errors.ts';
import { id } from '../support/ids.ts';

const [OLD, NEW] = ['an old secret of thirty-two bytes or more', 'a new secret of thirty-two bytes or more'];
const refusal = /params\.cursor must be a nextCursor that this command returned/;

describe('a cursor', () => {
  let sign: CursorSigner;
  let cursors: Cursors;

  beforeEach(() => {
    sign = createCursorSigner([NEW, OLD]);
    cursors = sign('listUsers', id(7));
  });

  it('decodes to the position that it encodes', () => {
    expect(cursors.decode(cursors.encode([1, null, 'two']))).to.deep.equal([1, null, 'two']);
    expect(cursors.idFrom(cursors.encode([5]), 0)).to.equal(5);
    expect(cursors.idFrom(undefined, 0)).to.equal(0);
  });

  it('is refused for another user, by another command, and after any change', () => {
    const cursor = cursors.encode([123]);
    expect(() => sign('listUsers', id(8)).decode(cursor)).to.throw(refusal);
    expect(() => sign('searchUsers', id(7)).decode(cursor)).to.throw(refusal);
    for (let at = 0; at < cursor.length; at++) {
      const changed = cursor.slice(0, at) + (cursor[at] === 'A' ? 'B' : 'A') + cursor.slice(at + 1);
      expect(() => cursors.decode(changed), changed).to.throw(refusal);
    }
    for (const short of ['', 'A', cursor.slice(0, 20), cursor.slice(0, 22)])
      expect(() => cursors.decode(short), short).to.throw(refusal);
  });

  it('is accepted when it is signed with an older secret, until that secret is removed', () => {
    const cursor = createCursorSigner([OLD])('listUsers', id(7)).encode([1]);
    expect(cursors.numbers(cursor, 1)).to.deep.equal([1]);
    expect(() => createCursorSigner([NEW])('listUsers', id(7)).decode(cursor)).to.throw(refusal);
  });

  it('with the form of another version is refused', () => {
    for (const position of [[], [1, 2], ['1'], null, { a: 1 }])
      expect(() => cursors.idFrom(cursors.encode(position), 0))
        .to.throw(ApiError, refusal)
        .with.property('code', 'BAD_REQUEST');
    expect(() => cursors.numbers(cursors.encode([1, null]), 2)).to.throw(refusal);
  });

  it('continues after the last row that fits into a page, of which there is always one', () => {
    const rows = ['a', 'b', 'c'].map((letter) => letter.repeat(PAGE_BYTES / 2 - 3)); // and two quotes and a comma
    const { data, nextCursor } = cursors.pageOf(rows, 100, (row) => [row.charCodeAt(0)]);
    expect(data.map(([letter]) => letter)).to.deep.equal(['a', 'b']);
    expect(cursors.idFrom(nextCursor ?? '', 0)).to.equal('b'.charCodeAt(0));
    const large = ['x'.repeat(PAGE_BYTES), 'y'];
    expect(cursors.pageOf(large, 100, () => [1]).data).to.deep.equal(large.slice(0, 1));
    const [half = ''] = rows;
    expect(cursors.pageOf([half, `${half}x`], 100, () => [1]).data).to.deep.equal([half]);
  });

  it('continues after the last row of a page, and is absent after the last page', () => {
    const { data, nextCursor } = cursors.pageOf([1, 2, 3, 4], 3, (row) => [row]);
    expect(data).to.deep.equal([1, 2, 3]);
    expect(cursors.idFrom(nextCursor ?? '', 0)).to.equal(3);
    expect(cursors.pageOf([1, 2], 2, (row) => [row]).nextCursor).to.equal(null);
  });
});
