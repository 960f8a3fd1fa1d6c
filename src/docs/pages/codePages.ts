import type { CommandDescription } from '../../commands/define.ts';
import { CloseCode } from '../../protocol/closeCodes.ts';
import { type ErrorCode, errorCodes } from '../../protocol/errors.ts';
import { errorsOf } from '../schemas.ts';
import { pathOf } from './commandGroups.ts';
import { sectionOf } from './guidePage.ts';
import { type Html, heading, html, join } from './html.ts';
import type { ReferencePage } from './layout.ts';
import { inline, markdown, tableRows } from './markdown.ts';

/** Returns the page of the error codes; the protocol says what they mean to a client. */
export function errorsPage(commands: readonly CommandDescription[], protocol: () => string): ReferencePage {
  return {
    path: 'errors',
    title: 'Error codes',
    body(root) {
      const rows = tableRows(sectionOf(protocol(), 'Error codes'));
      return html`<p>Of <a href="${root}protocol#error-reply">error replies</a>, of HTTP calls and of refused
upgrades. A client decides by the code, never by the message, and repeats nothing by itself after a code that it does not
know.</p>
${Object.keys(errorCodes).map((code) => {
  const [meaning = '', repeat = ''] = rows.get(code) ?? [];
  return html`${heading(2, code, html`<code>${code}</code>`)}<dl>
<dt>Meaning</dt><dd>${inline(linked(meaning, root))}</dd>
<dt>Repeat the same</dt><dd>${inline(linked(repeat, root))}</dd>
<dt>Status over HTTP</dt><dd>${errorCodes[code as ErrorCode].status}</dd>
<dt>Commands</dt><dd>${refusing(commands, code as ErrorCode, root)}</dd>
</dl>
`;
})}`;
    },
  };
}

function refusing(commands: readonly CommandDescription[], code: ErrorCode, root: string): Html {
  const some = commands.filter((command) => errorsOf(command).includes(code));
  if (some.length === 0) return html`None`;
  if (some.length === commands.length) return html`All`;
  const links = some.map(
    (command) => html`<a href="${root}${pathOf(command)}"><code>${command.type}</code></a>`,
  );
  return join(links, ', ');
}

/** Returns error codes with what they mean. */
export const errorList = (codes: readonly ErrorCode[], root: string): Html => html`<dl>
${codes.map(
  (code) => html`<dt><a href="${root}errors#${code}"><code>${code}</code></a></dt>
<dd>${errorCodes[code].summary}</dd>
`,
)}</dl>
`;

/** Returns the page of the close codes. */
export function closeCodesPage(protocol: () => string): ReferencePage {
  return {
    path: 'close-codes',
    title: 'Close codes',
    body(root) {
      const section = sectionOf(protocol(), 'Close codes');
      const rows = tableRows(section);
      const [, ranges = ''] = section.split(/^(?="Connect again")/m);
      return html`${Object.entries(CloseCode).map(([name, code]) => {
        const [meaning = '', must = ''] = rows.get(String(code)) ?? [];
        return html`${heading(2, String(code), `${code} ${wordsOf(name)}`)}<dl>
<dt>Meaning</dt><dd>${inline(linked(meaning, root))}</dd>
<dt>The client must</dt><dd>${inline(linked(must, root))}</dd>
</dl>
`;
      })}
${heading(2, 'ranges', 'Ranges')}${markdown(linked(ranges, root))}`;
    },
  };
}

const wordsOf = (name: string): string => name.replace(/(?<=[a-z])(?=[A-Z])/g, ' ').toLowerCase();

/** Returns Markdown of the protocol whose links lead to its page. */
const linked = (text: string, root: string): string => text.replaceAll('](#', `](${root}protocol#`);
