import type { Client, Result } from '../../../src/client/index.ts';
import { useClient, useLoaded, useValue } from '../hooks.ts';
import { Avatar } from '../parts/Avatar.tsx';
import { chatHref } from '../route.ts';
import { shortTime } from '../time.ts';
import { ChatRow } from './ChatRow.tsx';

type Hit = Result<'searchMessages'>['data'][number];

/** The results of a search: chats and users by name, messages by content. */
export function Results({ query }: { readonly query: string }) {
  const client = useClient();
  const chats = useValue(client.chats);
  const self = client.self?.userId;
  const { value: people = [] } = useLoaded(
    async () => (await client.call('searchUsers', { query, limit: 5 })).data,
    [query],
  );
  const { value: hits } = useLoaded(async () => findMessages(client, query), [query]);
  const named = chats.filter(({ name }) => name.toLowerCase().includes(query.toLowerCase()));
  const known = new Set(chats.map(({ key }) => key));
  const strangers = people.filter(({ userId }) => !known.has(`user:${userId}`));
  const nameOf = (hit: Hit) => {
    if (hit.groupId !== undefined) return chats.find(({ key }) => key === `group:${hit.groupId}`)?.name;
    const other = hit.senderId === self ? hit.receiverId : hit.senderId;
    return chats.find(({ key }) => key === `user:${other}`)?.name;
  };

  return (
    <div class="results">
      {named.length > 0 && (
        <Section title="Chats">
          {named.map((chat) => (
            <ChatRow key={chat.key} chat={chat} />
          ))}
        </Section>
      )}
      {strangers.length > 0 && (
        <Section title="People">
          {strangers.map(({ userId, username, displayName }) => (
            <li key={userId}>
              <a class="row" href={chatHref({ receiverId: userId })}>
                <Avatar name={username} />
                <span class="row-text">
                  <span class="row-name">{username}</span>
                  <span class="row-message">
                    {displayName ?? (userId === self ? 'Notes to yourself' : 'Write a message')}
                  </span>
                </span>
              </a>
            </li>
          ))}
        </Section>
      )}
      {hits && hits.length > 0 && (
        <Section title="Messages">
          {hits.map((hit) => (
            <li key={hit.messageId}>
              <a class="row" href={hrefOf(hit, self)}>
                <span class="row-text">
                  <span class="row-top">
                    <span class="row-name">{nameOf(hit) ?? hit.senderName}</span>
                    <time dateTime={hit.createdAt}>{shortTime(hit.createdAt)}</time>
                  </span>
                  <span class="row-message">
                    {hit.highlight.map(({ text, hit: isHit }, index) =>
                      isHit ? <mark key={index}>{text}</mark> : text,
                    )}
                  </span>
                </span>
              </a>
            </li>
          ))}
        </Section>
      )}
      <p class="empty" role="status">
        {hits && named.length + strangers.length + hits.length === 0 ? 'Nothing found' : ''}
      </p>
    </div>
  );
}

/** Maximum pages read until one has results: a page may be empty although others follow. */
const MAX_PAGES = 10;

/** Returns the first page of messages that is not empty. */
async function findMessages(client: Client, query: string): Promise<readonly Hit[]> {
  for (let [page, cursor] = [1, {}]; ; page++) {
    const { data, nextCursor } = await client.call('searchMessages', { query, limit: 20, ...cursor });
    if (data.length > 0 || nextCursor === null || page === MAX_PAGES) return data;
    cursor = { cursor: nextCursor };
  }
}

function Section({ title, children }: { title: string; children: preact.ComponentChildren }) {
  return (
    <section>
      <h2>{title}</h2>
      <ul class="rows">{children}</ul>
    </section>
  );
}

/** Returns the address of a message in its chat. */
function hrefOf({ groupId, receiverId, senderId, seq }: Hit, self: number | undefined): string {
  if (groupId !== undefined) return chatHref({ groupId }, seq);
  return chatHref({ receiverId: senderId === self ? (receiverId ?? 0) : senderId }, seq);
}
