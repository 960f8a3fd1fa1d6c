// A bot that answers private messages, and mentions of its name in groups.
//   node examples/bot.js            connects to PARLEY_URL, by default http://localhost:3000
// In a project of your own, import '@parley-chat/client'.
import { accounts, connect } from 'parley/client';

const url = process.env.PARLEY_URL ?? 'http://localhost:3000';
const username = process.env.BOT_NAME ?? 'echo-bot';
const account = { username, password: process.env.BOT_PASSWORD ?? 'a password for the bot' };

const { login, register } = accounts(url);
const enter = async () => {
  const entrance = await login(account).catch(() =>
    register({ ...account, email: `${username}@example.com` }),
  );
  return entrance.token;
};

// The client calls `enter` again when the token has expired. Messages that arrive while the bot is offline are answered
// when it is online again.
const client = connect({ url, token: enter, device: 'bot' });
client.on('state', (state) => console.log(state));

const report = (/** @type {Error} */ { message }) => console.log(message);
for await (const { type, params } of client) {
  if (type === 'privateMessage' && params.senderId !== client.self?.userId) {
    client
      .call('privateMessage', { receiverId: params.senderId, content: answer(params.message) })
      .catch(report);
  } else if (type === 'messageInGroup' && params.message.includes(`@${username}`)) {
    const { groupId, messageId, message } = params;
    client.call('messageInGroup', { groupId, content: answer(message), replyTo: messageId }).catch(report);
  }
}

/** @param {string} message */
function answer(message) {
  return /\btime\b/.test(message) ? `It is ${new Date().toLocaleTimeString()}` : `You said: ${message}`;
}
