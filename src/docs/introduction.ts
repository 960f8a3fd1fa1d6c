import { errorCodes } from '../errors.ts';
import { limits } from '../limits.ts';
import { CloseCode } from '../socket/closeCodes.ts';

/** What an integrator reads first, in Markdown. */
export const introduction = `
Commands go up one WebSocket as \`{ type, params, id }\`; replies, errors and pushes come down. Accounts and tokens
are the business of the HTTP calls: \`POST /auth/register\` and \`POST /auth/login\` answer with a token.

## Connecting

The token is read during the upgrade, from the first of these that is present: \`Authorization: Bearer <token>\`,
\`Sec-WebSocket-Protocol: auth, <token>\`, \`?token=<token>\`. Without a valid one the answer is 401 and no socket
opens; 503 means that the database is away, 429 that there are too many connections: come back later.

| close code | why | what to do |
| --- | --- | --- |
| ${CloseCode.GoingAway} | the server stops | connect again |
| ${CloseCode.TooBig} | a frame over ${limits.frameBytes / 1024} KiB | send smaller frames |
| ${CloseCode.Unauthorized} | the token has expired or was revoked | log in again |
| ${CloseCode.TooManyRequests} | ${limits.unansweredPerConnection.toLocaleString('en')} requests unanswered | wait for replies |

A client that stops reading is cut off without a code once ${limits.sendBufferBytes / 1024 / 1024} MiB wait for it.

## Requests and replies

\`id\` is optional, a string or an integer, and comes back on the reply. The commands of one connection run one
after another, so that each meets the effect of the one before, and replies come in the order of the requests:
there is no need to wait for one before sending the next. A reply means that the effect is committed.

A frame that is not JSON, of an unknown type or with wrong params gets an error, and the connection stays open.
Unknown params are refused by name; numbers are not read from strings.

## Messages

Each chat counts its messages 1, 2, 3 … (\`seq\`) without a gap, in the same order for everybody; system messages,
which say who created, joined or left a group, count as well. A \`seq\` that is not one more than the last one seen
means that something was missed: read it with \`getlatestMessageDialog\` or \`getlatestMessageGroup\`.

Give each message a \`clientMessageId\`. After a cut connection, or an \`UNAVAILABLE\`, send it again: it is stored
once, and the first answer comes back.

Pushes go to every connection that may see what happened, the sender's other ones included; the connection that
caused them gets the reply instead.

## Error codes

| code | meaning |
| --- | --- |
${Object.entries(errorCodes)
  .map(([code, { summary }]) => `| \`${code}\` | ${summary} |`)
  .join('\n')}
`.trim();
