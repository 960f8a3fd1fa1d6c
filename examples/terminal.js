// A messenger in the terminal.
//   node examples/terminal.js Ada           logs in as Ada, or creates the account
// Type "Bob: hello" to send a message to Bob. Lines without a name go to the same chat as the line before.
// In a project of your own, import '@parley-chat/client'.
import { createInterface } from 'node:readline/promises';
import { accounts, connect, ParleyError } from 'parley/client';

const url = process.env.PARLEY_URL ?? 'http://localhost:3000';
const [username = ''] = process.argv.slice(2);
if (!username) {
  console.error('usage: node examples/terminal.js <username>');
  process.exit(1);
}

const terminal = createInterface({ input: process.stdin, output: process.stdout });
const lines = terminal[Symbol.asyncIterator](); // buffers lines that are typed early
const password = process.env.PARLEY_PASSWORD ?? (await terminal.question('Password: '));
const { login, register } = accounts(url);
const { token } = await login({ username, password })
  .catch(() => register({ username, password, email: `${username}@example.com` }))
  .catch((error) => fail(error.message));

const client = connect({ url, token, device: 'terminal' });
/** @type {{ name: string, chat: import('parley/client').Chat } | undefined} */
let open;

client.on('state', (state) => show(`[${state}]`));
client.on('privateMessage', ({ senderId, senderName, message }) => {
  show(`${senderName}: ${message}`);
  if (senderId !== client.self?.userId)
    client
      .chat({ receiverId: senderId })
      .markRead()
      .catch(() => {});
});
client.on('messageInGroup', ({ groupId, senderName, message }) => {
  const group = client.chats.value.find(({ address }) => address.groupId === groupId);
  show(`${senderName} in ${group?.name ?? groupId}: ${message}`);
});

await client.chats.loaded.catch((error) => fail(error.message));
for (const { name, lastMessage, unreadCount } of client.chats.value.slice(0, 10))
  show(`${unreadCount > 0 ? `(${unreadCount}) ` : ''}${name}: ${lastMessage.content}`);
terminal.prompt();

for await (const line of { [Symbol.asyncIterator]: () => lines }) {
  await say(line.trim()).catch((error) => show(`! ${error.message}`));
  terminal.prompt();
}
client.close();

/** @param {string} line */
async function say(line) {
  if (line === '') return;
  const [, name, text = ''] = /^([^\s:]+):\s*(.*)$/.exec(line) ?? ['', '', line];
  if (name) open = { name, chat: await find(name) };
  if (!open) throw new ParleyError('BAD_REQUEST', 'No chat is open. Type "name: text".');
  // The view shows the message at once, and the client sends it when it is online: do not wait for the reply here.
  if (text) open.chat.send(text).catch((error) => show(`! ${error.message}: ${text}`));
}

/** @param {string} name of a group of this user, or of a person */
async function find(name) {
  const known = client.chats.value.find((chat) => chat.name.toLowerCase() === name.toLowerCase());
  if (known) return client.chat(known.address);
  const { data } = await client.call('searchUsers', { query: name, limit: 5 });
  const person = data.find((one) => one.username.toLowerCase() === name.toLowerCase());
  if (!person) throw new ParleyError('NOT_FOUND', `No user or group is called ${name}`);
  return client.chat({ receiverId: person.userId });
}

/** @param {string} line */
function show(line) {
  process.stdout.write(`\r\u001b[K${line}\n`);
  terminal.prompt(true);
}

/** @param {string} message @returns {never} */
function fail(message) {
  console.error(message);
  process.exit(1);
}
