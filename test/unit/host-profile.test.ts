import { expect } from 'chai';
import { usernamesLike } from '../../src/accounts/freeNames.ts';
import { hostProfileOf } from '../../src/accounts/hostProfile.ts';

describe('the profile of a user of the host', () => {
  it('has the claims that can be used', () => {
    const claims = {
      ...{ preferred_username: 'ada', name: ' Ada Lovelace ', picture: 'https://id.example.com/ada.png' },
      ...{ email: 'ada@example.com', email_verified: true },
    };
    expect(hostProfileOf(claims)).to.deep.equal({
      ...{ username: 'ada', displayName: 'Ada Lovelace', avatar: 'https://id.example.com/ada.png' },
      email: 'ada@example.com',
    });
  });

  it('has a username of the characters that usernames have, without the domain of an address', () => {
    for (const [name, username] of [
      ['ada@example.com', 'ada'],
      ['Ada Lovelace', 'Ada-Lovelace'],
      [' (ada) ', 'ada'],
      ['u\u0308nal', '\u00fcnal'],
      ['a'.repeat(70), 'a'.repeat(64)],
      ['@example.com', undefined],
      ['', undefined],
      ['\u{1f600}', undefined],
      ['\u0301', undefined],
      [7, undefined],
    ] as const)
      expect(hostProfileOf({ preferred_username: name }).username, String(name)).to.equal(username);
  });

  it('omits what no user may enter', () => {
    for (const claims of [
      ...[
        { name: '' },
        { name: ' ' },
        { name: 'a\nb' },
        { name: '\u202ea' },
        { name: '\ud800' },
        { name: 7 },
      ],
      ...[{ picture: '' }, { picture: 'x'.repeat(501) }, { picture: 'a\0b' }, { picture: {} }],
      ...[
        { email: 'ada', email_verified: true },
        { email: 7, email_verified: true },
      ],
      ...[{ email: 'ada@example.com' }, { email: 'ada@example.com', email_verified: 'true' }],
    ])
      expect(hostProfileOf(claims), JSON.stringify(claims)).to.deep.equal({});
    expect(hostProfileOf({ name: 'a'.repeat(150) })).to.deep.equal({ displayName: 'a'.repeat(100) });
  });

  it('has other usernames to try, none of them too long', () => {
    expect(usernamesLike('ada').slice(0, 3)).to.deep.equal(['ada', 'ada-2', 'ada-3']);
    for (const name of [...usernamesLike('\u{10330}'.repeat(64)), ...usernamesLike()])
      expect([...name].length).to.be.within(6, 64);
    expect(usernamesLike()[0]).to.match(/^user-\d+$/);
  });
});
