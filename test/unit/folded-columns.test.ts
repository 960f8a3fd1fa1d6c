import { expect } from 'chai';
import { ambiguous, createUniqueNames, foldedGroup, foldedUser } from '../../src/text/foldedColumns.ts';

describe('the folded columns of a user', () => {
  it('are those of the names that are given', () => {
    expect(foldedUser({ username: 'Ádá' })).to.deep.equal({ usernameFolded: 'ádá', usernameSearch: 'ada' });
    expect(foldedUser({ email: 'Ada@Example.com', displayName: 'Ádá' })).to.deep.equal({
      emailFolded: 'ada@example.com',
      displayNameSearch: 'ada',
    });
    expect(foldedUser({})).to.deep.equal({});
  });

  it('are null for names that are removed', () => {
    expect(foldedUser({ email: null, username: null, displayName: null })).to.deep.equal({
      emailFolded: null,
      usernameFolded: null,
      usernameSearch: null,
      displayNameSearch: null,
    });
  });
});

describe('the folded columns of a group', () => {
  it('are its name as it is compared, and as it is searched', () => {
    expect(foldedGroup('CAFÉ')).to.deep.equal({ nameFolded: 'café', nameSearch: 'cafe' });
  });
});

describe('names that must be unique', () => {
  it('go to the first row that asks, and are ambiguous for the others', () => {
    const unique = createUniqueNames([]);
    expect([unique('ada', 1), unique('bob', 2), unique('ada', 3)]).to.deep.equal([
      'ada',
      'bob',
      ambiguous('ada', 3),
    ]);
  });

  it('are ambiguous when a row has them already', () => {
    expect(createUniqueNames(['ada', null])('ada', 1)).to.equal(ambiguous('ada', 1));
  });

  it('may be missing in any number of rows', () => {
    const unique = createUniqueNames([null]);
    expect([unique(null, 1), unique(undefined, 2), unique(null, 3)]).to.deep.equal([null, undefined, null]);
  });
});
