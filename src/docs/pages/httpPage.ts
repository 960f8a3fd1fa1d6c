import type { TSchema } from 'typebox';
import type { Examples, RecordedCall } from '../examples.ts';
import { errorsOf, type RouteDescription } from '../openapi.ts';
import { errorList } from './codePages.ts';
import { codeBlock, type Html, heading, html, table } from './html.ts';
import type { ReferencePage } from './layout.ts';
import { inline } from './markdown.ts';
import { propertyTable } from './properties.ts';

/** Returns the page of the HTTP calls. It is not in the folder of the other pages, but beside it at `/api/`. */
export function httpPage(routes: readonly RouteDescription[], { calls }: Examples): ReferencePage {
  return {
    path: '../api/',
    title: 'HTTP API',
    body: (root) => html`<p class="summary">Accounts, tokens and monitoring.</p>
<p>Everything else is a <a href="${root}commands">command</a> over the WebSocket. Bodies are JSON objects in UTF-8. Every
error is <code>{ "error": true, "code", "message" }</code>, and a program decides by its <a
href="${root}errors">code</a>. Unknown paths are answered with 404 <code>NOT_FOUND</code>, other methods with 405
<code>METHOD_NOT_ALLOWED</code>. For programs, the same is in <a
href="${root}../openapi.yaml">openapi.yaml</a>.</p>
${table(
  ['call', 'purpose'],
  routes.map(
    (route) =>
      html`<tr><th scope="row"><a href="#${idOf(route)}"><code>${nameOf(route)}</code></a></th>
<td>${inline(route.summary)}</td></tr>
`,
  ),
)}
${routes.map((route) => section(route, calls[nameOf(route)] ?? [], root))}`,
  };
}

const nameOf = ({ method, path }: RouteDescription): string => `${method} ${path}`;
const idOf = (route: RouteDescription): string => nameOf(route).toLowerCase().replaceAll(/\W+/g, '-');

function section(route: RouteDescription, calls: readonly RecordedCall[], root: string): Html {
  const { summary, authenticated, body, success } = route;
  const id = idOf(route);
  const answers = Object.entries(success).map(([status, { summary: meaning, schema }]) => {
    const anchor = `${id}-${status}`;
    return html`${heading(3, anchor, `Answer ${status}`)}<p>${inline(meaning)}.</p>
${answerTable(schema, anchor, root)}`;
  });
  return html`${heading(2, id, html`<code>${nameOf(route)}</code>`)}<p>${inline(summary)}.${
    authenticated && html` With a token in the header <code>Authorization</code>.`
  }</p>
${body && html`${heading(3, `${id}-body`, 'Body')}${propertyTable(body, `${id}-body`, root)}`}${answers}
${heading(3, `${id}-errors`, 'Errors')}${errorList(errorsOf(route), root)}
${heading(3, `${id}-example`, 'Example')}${example(route, calls)}`;
}

/** Returns the properties of an answer; it may be empty, or text. */
const answerTable = (schema: TSchema | null, id: string, root: string): Html | false =>
  schema !== null && 'properties' in schema && propertyTable(schema, id, root);

/** Returns the first call that succeeded, as a command of a shell, with its answer. */
function example(route: RouteDescription, calls: readonly RecordedCall[]): Html {
  const recorded = calls.find(({ status }) => status < 300);
  const { method, path, authenticated } = route;
  const words = [
    'curl',
    ...(method === 'GET' ? [] : [`-X ${method}`]),
    `http://localhost:3000${path}`,
    ...(authenticated ? [`-H "Authorization: Bearer $TOKEN"`] : []),
    ...(recorded?.body ? [`-d '${JSON.stringify(recorded.body)}'`] : []),
  ];
  const answer = recorded?.answer ?? undefined;
  return html`${codeBlock(words.join(' '))}${answer && codeBlock(JSON.stringify(answer, null, 2))}`;
}
