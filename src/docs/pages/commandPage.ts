import type { CommandDescription } from '../../commands/define.ts';
import { type Examples, messageNames } from '../examples.ts';
import { errorsOf, HEAVY, pushOf, replyOf } from '../schemas.ts';
import { errorList } from './codePages.ts';
import { isOfService, pathOf } from './commandGroups.ts';
import { codeBlock, type Html, heading, html } from './html.ts';
import type { ReferencePage } from './layout.ts';
import { inline } from './markdown.ts';
import { propertyTable } from './properties.ts';
import { snippetsOf, subscription } from './snippets.ts';

/** Returns the page of a command. */
export function commandPage(command: CommandDescription, examples: Examples): ReferencePage {
  const { type, summary, description, params, push } = command;
  const pushed = pushOf(command);
  return {
    path: pathOf(command),
    title: type,
    body(root) {
      return html`<p class="summary">${inline(summary)}.</p>
${description && html`<p>${inline(description)}</p>\n`}${facts(command, root)}
${heading(2, 'params', 'Params')}${propertyTable(params, 'params', root)}
${heading(2, 'reply', 'Reply')}<p>In <code>params</code> of the reply:</p>
${propertyTable(replyOf(command).params, 'reply', root)}
${
  push &&
  pushed &&
  html`${heading(2, 'push', 'Push')}<p>${inline(push.summary)}. In <code>params</code> of the push:</p>
${propertyTable(pushed.params, 'push', root)}${codeBlock(subscription(type))}`
}
${heading(2, 'errors', 'Errors')}${errorList(errorsOf(command), root)}
${examplesOf(command, examples, root)}`;
    },
  };
}

function examplesOf(command: CommandDescription, { frames, services }: Examples, root: string): Html {
  const { type } = command;
  const isService = isOfService(command);
  const recorded = framesOf(type, isService ? services : frames);
  const code = html`${heading(2, 'code', 'Code')}${snippets(type, recorded.exchanges[0]?.request, root)}
`;
  return html`${!isService && code}${heading(2, 'examples', 'Example frames')}${exampleFrames(recorded)}`;
}

function facts(
  { reads, repeatable, storesMessage, ordered, cost, rate, isHeavy, scope }: CommandDescription,
  root: string,
): Html {
  const commands = cost === 1 ? 'one command' : `${cost} commands`;
  const sentences = [
    reads
      ? 'It only reads: it changes nothing and notifies nobody.'
      : 'It has an effect: it changes something, or notifies others.',
    repeatable
      ? 'It may be sent again after a broken connection: the second time changes nothing more, and is answered like the first.'
      : 'It must not be sent again after a broken connection: the second time would be refused or have another effect.',
    storesMessage &&
      'It stores a message: with a `clientMessageId`, a message that is sent again is stored once. Without one it must not be sent again.',
    ordered &&
      'Its effect depends on earlier commands about the same chat: if one of them has to be sent again, send this one after it.',
    `It costs ${commands} of the rate limit.`,
    rate && `It has a rate of its own: ${rate.burst} at once, then ${rate.perSecond} a second.`,
    isHeavy && HEAVY,
    scope && `The API key must have the scope \`${scope}\`.`,
  ].filter((sentence) => typeof sentence === 'string');
  return html`${heading(2, 'facts', 'Facts')}<ul>
${sentences.map((sentence) => html`<li>${inline(sentence)}</li>\n`)}</ul>
<p>See <a href="${root}protocol#after-a-reconnect">After a reconnect</a> and <a href="${root}protocol#limits">Limits</a>.</p>
`;
}

const snippets = (
  type: string,
  request: Frame | undefined,
  root: string,
): Html => html`<p>What these calls use is in <a href="${root}#javascript">the overview</a>.</p>
${snippetsOf(type, request?.params).map(
  ({ language, code }) => html`<h3>${language}</h3>\n${codeBlock(code)}`,
)}`;

/** A recorded frame, as far as it is read here. */
interface Frame {
  readonly id?: unknown;
  readonly params?: object;
}

interface Frames {
  /** Requests with their replies. */
  readonly exchanges: readonly { readonly request: Frame; readonly reply: Frame | undefined }[];
  readonly pushes: readonly Frame[];
  readonly errors: readonly Frame[];
}

function framesOf(type: string, frames: Examples['frames']): Frames {
  const names = messageNames(type);
  const [requests = [], replies = [], pushes = [], errors = []]: (readonly Frame[] | undefined)[] = [
    frames[names.request],
    frames[names.reply],
    frames[names.push],
    frames[names.error],
  ];
  const exchanges = requests.map((request) => ({
    request,
    reply: replies.find(({ id }) => id === request.id),
  }));
  return { exchanges, pushes, errors };
}

/** Returns the frames that were recorded from a server: each kind with its first frame, and all errors. */
function exampleFrames({ exchanges: [exchange], pushes: [push], errors }: Frames): Html {
  const frame = (title: string, value: Frame | undefined) =>
    value && html`<h3>${title}</h3>\n${codeBlock(JSON.stringify(value, null, 2))}`;
  return html`${frame('Request', exchange?.request)}${frame('Reply', exchange?.reply)}${frame('Push', push)}${
    errors.length > 0 &&
    html`<h3>${errors.length === 1 ? 'Error reply' : 'Error replies'}</h3>\n${codeBlock(
      errors.map((error) => JSON.stringify(error, null, 2)).join('\n'),
    )}`
  }`;
}
