import { expect } from 'chai';
import { apiKeyOf, hashOfSecret, isSameHash, newSecret, readApiKey } from '../../src/auth/apiKeys.ts';
import { id } from '../support/ids.ts';

describe('an API key', () => {
  const secret = newSecret();

  it('has the id and the secret, of which only a hash is compared', () => {
    const read = readApiKey(apiKeyOf(id(12), secret));
    expect(read?.id).to.equal(12);
    expect(read && isSameHash(read.secretHash, hashOfSecret(secret))).to.equal(true);
    expect(read && isSameHash(read.secretHash, hashOfSecret(newSecret()))).to.equal(false);
    expect(isSameHash(hashOfSecret(secret), Buffer.alloc(0))).to.equal(false);
  });

  it('has 32 random bytes', () => {
    expect(Buffer.from(secret, 'base64url').length).to.equal(32);
    expect(newSecret()).not.to.equal(secret);
  });

  it('is nothing that has another form', () => {
    for (const text of [
      '',
      'pk_',
      `pk_0_${secret}`,
      `pk_01_${secret}`,
      `pk_-1_${secret}`,
      `pk_1234567890123456_${secret}`,
      `pk_1_${secret}x`,
      `pk_1_${secret.slice(1)}`,
      `pk_1_${secret.slice(1)}+`,
      ` pk_1_${secret}`,
      `PK_1_${secret}`,
      `pk_1_${secret}\n`,
    ])
      expect(readApiKey(text), JSON.stringify(text)).to.equal(undefined);
  });
});
