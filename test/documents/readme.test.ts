import { readFile } from 'node:fs/promises';
import { expect } from 'chai';
import { registry } from '../../src/commands/registry.ts';
import { readConfig } from '../../src/config.ts';
import { variableOf } from '../../src/limits.ts';
import { builtFile } from '../support/builtFile.ts';
import { commandsIn, section } from '../support/documents.ts';
import { connectAs, newKey, newUsers, server, startServer } from '../support/harness.ts';

describe('the README', () => {
  it('has a chat in ten lines that works as pasted', async () => {
    const [ada, bob] = await newUsers(2);
    const device = await bob.connect();
    const script = /^```js\n(.*?)^```/ms
      .exec(await readFile('README.md', 'utf8'))?.[1]
      ?.replace("'@parley-chat/client'", `'${builtFile('dist/package/node.js')}'`)
      .replaceAll('http://localhost:3000', server.url)
      .replace("'Ada'", `'${ada.username}'`)
      .replace("'correct horse'", `'${ada.password}'`)
      .replace("'Bob'", `'${bob.username}'`);
    const { client } = await import(
      `data:text/javascript,${encodeURIComponent(`${script}; export { client };`)}`
    );
    client.close();
    expect((await device.push('privateMessage')).params.message).to.equal('Hi Bob');
    expect(script?.split('\n').filter((line) => line.trim()).length).to.be.at.most(10);
  });

  it('has three ways to a token, each in at most ten lines that work as pasted', async () => {
    const AUTH_SECRET = 'a secret of the product, long enough';
    const target = await startServer({ AUTH_SECRET });
    const scripts = [...(await section('README.md', 'Beside your product')).matchAll(/^```js\n(.*?)^```/gms)];
    const { key } = await newKey('users');
    process.env.PARLEY_KEY = key;
    process.env.AUTH_SECRET = AUTH_SECRET;
    try {
      const usernames: string[] = [];
      for (const [, code = ''] of scripts) {
        expect(code.split('\n').filter((line) => line.trim()).length).to.be.at.most(10);
        const script = code
          .replace("'@parley-chat/client'", `'${builtFile('dist/package/node.js')}'`)
          .replace("'@parley-chat/service'", `'${builtFile('dist/service/service.js')}'`)
          .replace("'jsonwebtoken'", `'${builtFile('node_modules/jsonwebtoken/index.js')}'`)
          .replace('http://localhost:3000', target.url);
        const { token, service } = await import(
          `data:text/javascript,${encodeURIComponent(`${script}; export { token }; ${/const service/.test(code) ? 'export { service };' : ''}`)}`
        );
        service?.close();
        const client = await connectAs(token, target.url);
        usernames.push((await client.done('getProfile', {})).data.username);
      }
      expect(usernames).to.deep.equal(['ada', 'bea', 'cleo']);
    } finally {
      await target.close();
      delete process.env.PARLEY_KEY;
      delete process.env.AUTH_SECRET;
    }
  });

  it('fits on a page, and names the commands that start and test', async () => {
    const readme = await readFile('README.md', 'utf8');
    expect(readme.split('\n').length).to.be.below(150);
    for (const command of ['npm install', 'npm start', 'npm test'])
      expect(commandsIn(readme)).to.include(command);
  });

  it('names only existing npm scripts', async () => {
    const { scripts } = JSON.parse(await readFile('package.json', 'utf8'));
    const readme = await readFile('README.md', 'utf8');
    for (const [, name] of readme.matchAll(/npm run ([a-z:]+)/g))
      expect(scripts).to.have.property(name as string);
  });
});

describe('docs/commands.md', () => {
  it('has a row for every command', async () => {
    const text = await readFile('docs/commands.md', 'utf8');
    for (const type of registry.keys()) expect(text).to.include(`| \`${type}\` |`);
  });
});

describe('docs/configuration.md', () => {
  it('has every setting', async () => {
    const text = await readFile('docs/configuration.md', 'utf8');
    const { limits, ...others } = readConfig({});
    for (const name of Object.keys({ ...limits, ...others }).map(variableOf))
      expect(text).to.include(`\`${name}\``);
  });
});
