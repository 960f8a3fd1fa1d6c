import type { Command } from '../commands/define.ts';
import { FRAME_BYTES_RECEIVED, defaultLimits as limits, PAGE_BYTES } from '../limits.ts';
import { CloseCode } from '../protocol/closeCodes.ts';
import { errorCodes } from '../protocol/errors.ts';
import { type Examples, messageNames } from './examples.ts';
import { socketErrors } from './schemas.ts';

/** What an integrator reads first, in Markdown. */
export function introduction(commands: readonly Command[], examples: Examples): string {
  return [firstClient, connecting, envelopes(examples), requests, messages, errors(commands)].join('\n\n');
}

const firstClient = `
Commands go up one WebSocket as \`{ type, params, id }\`; replies, errors and pushes come down. Accounts and tokens
are the business of the HTTP calls (see \`/api/\`): \`POST /auth/register\` and \`POST /auth/login\` answer with a token.

## A first client

In JavaScript and TypeScript there is a typed client, which reconnects, catches up and keeps the order by itself, and
needs nothing else in a browser:

\`\`\`js
import { accounts, connect } from 'http://localhost:3000/client.js'; // with npm: from 'parley/client'

const url = 'http://localhost:3000';
const { token } = await accounts(url).login({ username: 'Ada', password: 'correct horse' });
const client = connect({ url, token });
client.on('messageInGroup', ({ senderName, message }) => console.log(senderName, message));
const { groupId } = await client.call('newGroup', { groupName: 'Climbers' });
const { seq } = await client.call('messageInGroup', { groupId, content: 'Hello' });
\`\`\`

The README says what it does; \`examples/\` has the same in raw frames from Python and Go. By hand in JavaScript it
begins like this, in browsers and Node 22; before that, with \`WebSocket\` from the package \`ws\`.

\`\`\`js
const response = await fetch('http://localhost:3000/auth/login', {
  method: 'POST',
  body: JSON.stringify({ username: 'Ada', password: 'correct horse' }),
});
const { token } = await response.json();
const socket = new WebSocket('ws://localhost:3000/', ['auth', token]);

const waiting = new Map(); // requests without a reply, by id
socket.onmessage = ({ data }) => {
  const frame = JSON.parse(data);
  const request = waiting.get(frame.id);
  waiting.delete(frame.id);
  if (!request) console.log('push', frame.type, frame.params);
  else if (frame.error) request.reject(new Error(frame.code + ': ' + frame.message));
  else request.resolve(frame.params);
};

let lastId = 0;
function call(type, params) {
  return new Promise((resolve, reject) => {
    waiting.set(++lastId, { resolve, reject });
    socket.send(JSON.stringify({ type, params, id: lastId }));
  });
}

await new Promise((resolve, reject) => Object.assign(socket, { onopen: resolve, onerror: reject }));
const { groupId } = await call('newGroup', { groupName: 'Climbers' });
const clientMessageId = crypto.randomUUID();
const { seq } = await call('messageInGroup', { groupId, content: 'Hello', clientMessageId });
\`\`\`
`.trim();

const connecting = `
## Connecting

Connect to \`/\` or \`/ws\`. The token is read during the upgrade, from the first of these that is present:

1. \`Authorization: Bearer <token>\`
2. \`Sec-WebSocket-Protocol: auth, <token>\`, for browsers; the server answers with \`auth\`
3. \`?token=<token>\`

Without a valid token the upgrade is answered 401 and no socket opens: log in again. 503 means that the database is
away or the server stops, 429 that there are too many connections: come back after the seconds in \`Retry-After\`.
Browsers do not show the status to scripts: there, try a call over HTTP.

| close code | why | what to do |
| --- | --- | --- |
| ${CloseCode.GoingAway} | the server stops | connect again, a little later each time |
| ${CloseCode.ServiceRestart} | the server stops, or cannot push all that was missed | connect again, a little later each time, and synchronise |
| ${CloseCode.InternalError} | a fault of the server | connect again, a little later each time |
| ${CloseCode.TooBig} | a frame over ${limits.frameBytes / 1024} KiB | send smaller frames; sending this one again ends the same way |
| ${CloseCode.Unauthorized} | the token has expired or was revoked | log in again, then connect |
| ${CloseCode.TooManyRequests} | ${count(limits.unansweredPerConnection)} requests, or ${limits.unansweredBytesPerConnection / 1024 / 1024} MiB of them, unanswered | connect again; wait for replies before sending more |

A connection that breaks without a close frame (1006) is a network that failed, a client that left ${limits.sendBufferBytes / 1024 / 1024} MiB of pushes unread,
or a frame over ${FRAME_BYTES_RECEIVED / 1024 / 1024} MiB: connect again. The server pings, and closes a connection that is silent for ${limits.idleSeconds} seconds;
WebSocket libraries and browsers answer pings by themselves.
`.trim();

/** Shows the four kinds of frames by those of one command. */
function envelopes({ frames }: Examples): string {
  const names = messageNames('messageInGroup');
  const show = (name: string) => JSON.stringify(frames[name]?.[0], null, 1)?.replaceAll(/\s*\n\s*/g, ' ');
  return `
## Envelopes

\`\`\`js
// request: id is optional
${show(names.request)}

// reply: has the id of its request
${show(names.reply)}

// error: instead of the reply; "type" is "unknown" when it could not be read
${show(names.error)}

// push: what happened on another connection; never has an id
${show(names.push)}
\`\`\`

\`params\` of a reply or a push always has \`data\`, \`message\` and \`senderName\`, null where there is nothing to say;
other fields stand beside them. Expect fields and types of pushes that are not in this document: they may be added.
`.trim();
}

const requests = `
## Requests and replies

\`id\` is a string or an integer and comes back on the reply. Give every request one: then a frame without is a push,
or an error to something that was no request. The commands of one connection run one after another, so that each
meets the effect of the one before, and replies come in request order: there is no need to wait for one before
sending the next. A reply means that the effect is committed.

A frame that is not JSON, of an unknown type or with wrong params gets an error, and the connection stays open; a
binary frame, too. Unknown params are refused by name, numbers are not read from strings, and lengths of strings are
counted in Unicode code points. A connection may send ${limits.commandsPerSecond} commands a second, and ${count(limits.commandBurst)} at once, all of a
user together four times as many; some count as several, which is said with them. What is over is refused as
\`RATE_LIMITED\` and may be sent again after \`retryAfter\` seconds. Operators may set other limits.
`.trim();

const messages = `
## Messages

The dialog of two people and each group is a chat. Each chat counts its messages 1, 2, 3 … (\`seq\`) without a gap, in
the same order for everybody; system messages, which say who created, joined or left a group, count as well. A push
belongs to the group in \`groupId\`, or to the dialog with whom of \`senderId\` and \`receiverId\` is not oneself.

A \`seq\` that is not one more than the last one seen means that something was missed: read it with \`getMessages\` and
\`afterSeq\`. After a reconnect, \`sync\` with the cursor of the last time has everything that happened meanwhile: new,
changed and deleted messages, reactions, members, receipts, settings, usernames. A page ends before its \`limit\` where its rows
have ${PAGE_BYTES / 1024} KiB: go on with \`nextCursor\`, or while \`more\` is true, whatever its length. Pages by number are counted from the newest
message, so they move when one arrives: know rows by their \`seq\`.

Counts include every message up to the \`seq\` beside them: \`seq\` in the rows of \`listLastMessage\` and \`getChat\`,
\`lastSeq\` in \`sync\` and in the reply to \`markRead\`. Of two answers the one with the higher \`seq\` is newer, whichever
arrives last. Whoever writes a message has got and read what was before it; nobody is told of that but by the message.

Give each message a \`clientMessageId\`. After a broken connection, or an \`UNAVAILABLE\`, send it again: it is stored
once, and the first answer comes back.

Pushes other than messages have the \`type\` of the command that caused them, who did it in \`senderId\`, and the group
in \`groupId\` or, in a dialog, to whom in \`receiverId\`.

Pushes go to every connection that may see what happened, the sender's other ones included; the connection that
caused them gets the reply instead.
`.trim();

function errors(commands: readonly Command[]): string {
  const overSocket: ReadonlySet<string> = socketErrors(commands);
  const codes = Object.entries(errorCodes).map(([code, { summary }]) => ({ code, summary }));
  const table = (rows: typeof codes) =>
    [
      '| code | meaning |',
      '| --- | --- |',
      ...rows.map((row) => `| \`${row.code}\` | ${row.summary} |`),
    ].join('\n');
  return `
## Error codes

Go by \`code\`; \`message\` is a sentence for a person and may change.

${table(codes.filter(({ code }) => overSocket.has(code)))}

The answers to HTTP calls, and to an upgrade that is refused, are \`{ "error": true, "code", "message" }\` and have
some of these codes, or one of:

${table(codes.filter(({ code }) => !overSocket.has(code)))}
`.trim();
}

function count(number: number): string {
  return number.toLocaleString('en');
}
