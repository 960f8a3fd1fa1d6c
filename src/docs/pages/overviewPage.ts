import type { CommandDescription } from '../../commands/define.ts';
import { grouped, pathOf } from './commandGroups.ts';
import { codeBlock, type Html, heading, html, table } from './html.ts';
import type { ReferencePage } from './layout.ts';
import { codeIn, inline, slugOf } from './markdown.ts';

/** The sources that {@link overviewPage} shows. */
export interface OverviewSources {
  readonly protocol: () => string;
  readonly python: () => string;
  readonly go: () => string;
}

/** Returns the first page: what there is, and how a program connects in each language. */
export function overviewPage({ protocol, python, go }: OverviewSources): ReferencePage {
  return {
    path: '',
    title: 'Parley reference',
    body: (root) => html`<p class="summary">Everything that a client and the server say to each other.</p>
<p>A few HTTP calls manage accounts and tokens. Everything else goes over one WebSocket: commands from the client, replies
and pushes from the server, each a JSON object in a text frame.</p>
<ul>
<li><a href="${root}commands">Commands</a>: params, replies, pushes, errors, facts and examples of each, and their
<a href="${root}types">types</a>.</li>
<li><a href="${root}protocol">Protocol</a>: every frame, and what both sides must do, also <a
href="${root}protocol#after-a-reconnect">after a reconnect</a>.</li>
<li><a href="${root}errors">Error codes</a> and <a href="${root}close-codes">close codes</a>.</li>
<li><a href="${root}../api/">HTTP API</a>: accounts and tokens, with a command to try each call.</li>
<li><a href="${root}../asyncapi.yaml">asyncapi.yaml</a>, <a
href="${root}../asyncapi-service.yaml">asyncapi-service.yaml</a> and <a href="${root}../openapi.yaml">openapi.yaml</a>: the
same for programs.</li>
</ul>
${heading(2, 'connecting', 'Connecting')}<p>Each program logs in, creates a group and sends a message to it. The pages of
the commands go on from here.</p>
${heading(3, 'javascript', 'JavaScript')}<p>The typed client reconnects, repeats and orders by itself, in browsers and in
Node.</p>
${codeBlock(codeIn(protocol(), 'js'))}
${heading(3, 'python', 'Python')}${codeBlock(python().trimEnd())}
${heading(3, 'go', 'Go')}${codeBlock(go().trimEnd())}
<p>In Python and Go these are the frames alone: a program that runs for long must also do what the protocol says about <a
href="${root}protocol#after-a-reconnect">reconnects</a>.</p>
`,
  };
}

/** Returns the list of all commands with their facts. */
export function commandsPage(commands: readonly CommandDescription[]): ReferencePage {
  return {
    path: 'commands',
    title: 'Commands',
    body: (root) => html`<ul>
<li><strong>reads</strong>: it changes nothing and notifies nobody.</li>
<li><strong>repeatable</strong>: it may be sent again after a broken connection. The second time changes nothing more, and
is answered like the first.</li>
<li><strong>stores message</strong>: it takes a <code>clientMessageId</code>. Without one it is not repeatable.</li>
<li><strong>ordered</strong>: its effect depends on earlier commands about the same chat. If one of them has to be sent
again, send this one after it.</li>
<li><strong>push</strong>: others are notified of it.</li>
<li><strong>cost</strong>: number of commands it counts as against the rate limit.</li>
</ul>
${grouped(commands).map(
  ([group, members]) =>
    html`${heading(2, slugOf(group), group)}${table(
      ['command', 'purpose', 'cost', 'facts'],
      members.map((command) => row(command, root)),
    )}`,
)}`,
  };
}

function row(command: CommandDescription, root: string): Html {
  const { type, summary, reads, repeatable, storesMessage, ordered, cost, push } = command;
  const facts = [
    reads && 'reads',
    repeatable && 'repeatable',
    storesMessage && 'stores message',
    ordered && 'ordered',
    push && 'push',
  ].filter(Boolean);
  return html`<tr><th scope="row"><a href="${root}${pathOf(command)}"><code>${type}</code></a></th>
<td>${inline(summary)}</td><td>${cost}</td><td>${facts.join(', ')}</td></tr>
`;
}
