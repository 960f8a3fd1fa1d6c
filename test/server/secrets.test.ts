import { hash } from 'bcryptjs';
import { expect } from 'chai';
import jwt from 'jsonwebtoken';
import { database, http, newUser, startServer } from '../support/harness.ts';

let made = 0;
const account = (password: string) => {
  const username = `secretive${process.pid}-${++made}`;
  return { email: `${username}@example.com`, username, password };
};
const hashOf = async (id: number) => (await database.users.findByPk(id))?.passwordHash ?? '';

describe('passwords', () => {
  it('must not be common, at registration and later', async () => {
    for (const password of ['password', 'PASSWORD', '12345678', 'iloveyou', 'trustno1']) {
      const { status, body } = await http('POST', '/auth/register', { body: account(password) });
      expect([password, status, body.code]).to.deep.equal([password, 400, 'BAD_REQUEST']);
      expect(body.message).to.equal('body.password is one of the most common passwords; choose another');
    }
    const ada = await newUser();
    const change = { password: 'password', currentPassword: ada.password };
    expect((await http('PATCH', '/users/me', { token: ada.token, body: change })).status).to.equal(400);
    expect((await http('POST', '/auth/login', { body: ada })).status).to.equal(400); // both names were attempt
  });

  it('must have 8 characters and at most 72 bytes', async () => {
    for (const [password, status] of [
      ['7 chars', 400],
      ['8 chars!', 201],
      ['ä'.repeat(36), 201],
      ['ä'.repeat(37), 400],
    ] as const)
      expect((await http('POST', '/auth/register', { body: account(password) })).status).to.equal(status);
  });

  it('are accepted at the login even if an older one is common', async () => {
    const { id, username } = await newUser();
    await database.users.update({ passwordHash: await hash('password', 10) }, { where: { id } });
    const reply = await http('POST', '/auth/login', { body: { username, password: 'password' } });
    expect(reply.status).to.equal(200);
  });

  it('are hashed again at a login after the cost was raised, but only when the password is correct', async () => {
    const { id, username, password, token } = await newUser();
    const before = await hash(password, 4);
    await database.users.update({ passwordHash: before }, { where: { id } });
    const logIn = (attempt: string) => http('POST', '/auth/login', { body: { username, password: attempt } });
    expect((await logIn('wrong password')).status).to.equal(401);
    expect(await hashOf(id)).to.equal(before);
    expect((await logIn(password)).status).to.equal(200);
    const after = await hashOf(id);
    expect(after).to.match(/^\$2b\$10\$/);
    expect((await logIn(password)).status).to.equal(200);
    expect(await hashOf(id)).to.equal(after);
    // no session ends
    expect(
      (await http('PATCH', '/users/me', { token, body: { username: `${username}-2` } })).status,
    ).to.equal(200);
  });

  it('are accepted at the login although they cannot be hashed again', async () => {
    const { id, username, password } = await newUser();
    await database.users.update({ passwordHash: await hash(password, 4) }, { where: { id } });
    await database.sequelize.query(`
      create function refuse_hash() returns trigger language plpgsql as $$ begin raise 'refused'; end $$;
      create trigger refuse_hash before update of password_hash on users
        for each row when (old.id = ${id}) execute function refuse_hash()`);
    try {
      expect((await http('POST', '/auth/login', { body: { username, password } })).status).to.equal(200);
      expect(await hashOf(id)).to.match(/^\$2b\$04\$/);
    } finally {
      await database.sequelize.query('drop function refuse_hash cascade');
    }
  });

  it('are not hashed again by a node with a lower cost', async () => {
    const { id, username, password } = await newUser();
    const costly = await hash(password, 11);
    await database.users.update({ passwordHash: costly }, { where: { id } });
    expect((await http('POST', '/auth/login', { body: { username, password } })).status).to.equal(200);
    expect(await hashOf(id)).to.equal(costly);
  });
});

describe('secrets of tokens', () => {
  const older = 'an older secret that is long enough to sign';
  const newer = 'the newer secret: long enough to sign';

  it('can be changed without ending sessions', async () => {
    const before = await startServer({ JWT_SECRET: older });
    const ada = await newUser(before.url);
    await before.close();

    const between = await startServer({ JWT_SECRET: `${newer}, ${older}` });
    await (await ada.connect(between.url)).done('ping');
    const { body } = await http('POST', '/auth/login', {
      body: { username: ada.username, password: ada.password },
      url: between.url,
    });
    expect(() => jwt.verify(body.token, newer)).not.to.throw();
    await between.close();

    const after = await startServer({ JWT_SECRET: newer });
    const update = (token: string) =>
      http('PATCH', '/users/me', { token, body: { username: `${ada.username}-2` }, url: after.url });
    expect((await update(ada.token)).status).to.equal(401);
    expect((await update(body.token)).status).to.equal(200);
    await after.close();
  });

  it('may contain commas', async () => {
    // the secret of the tests has a comma and a part of fewer than 32 bytes
    const { token } = await newUser();
    expect((await http('PATCH', '/users/me', { token, body: {} })).status).to.equal(400);
  });
});
