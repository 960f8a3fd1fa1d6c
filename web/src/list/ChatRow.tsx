import type { ChatSummary, Observable, Presence } from '../../../src/client/index.ts';
import { useClient, useValue } from '../hooks.ts';
import { Avatar } from '../parts/Avatar.tsx';
import { Icon } from '../parts/Icon.tsx';
import { Ticks } from '../parts/Ticks.tsx';
import { chatHref, useRoute } from '../route.ts';
import { fullTime, shortTime } from '../time.ts';

/** The presence shown for a group: none. */
const NO_PRESENCE: Observable<Presence | undefined> = { value: undefined, subscribe: () => () => {} };

/** A chat in the list: its name, its last message, its counts. */
export function ChatRow({ chat }: { readonly chat: ChatSummary }) {
  const client = useClient();
  const route = useRoute();
  const { address, name, lastMessage, muted, pinned } = chat;
  const isGroup = address.groupId !== undefined;
  const presence = useValue(isGroup ? NO_PRESENCE : client.presence(address.receiverId));
  const typing = useValue(client.chat(address).typing);
  const href = chatHref(address);
  const isOpen = route.page === 'chat' && chatHref(route.address) === href;
  const isOwn = lastMessage.senderId === client.self?.userId && lastMessage.kind === 'text';

  return (
    <li>
      <a class="row" href={href} {...(isOpen && { 'aria-current': 'page' })}>
        <Avatar name={name} presence={presence} square={isGroup} />
        <span class="row-text">
          <span class="row-top">
            <span class="row-name">{name}</span>
            {presence?.online && <span class="hidden">, online</span>}
            {muted && <Mark icon="mute" label="muted" />}
            {pinned && <Mark icon="pin" label="pinned" />}
            <time dateTime={lastMessage.createdAt} title={fullTime(lastMessage.createdAt)}>
              {shortTime(lastMessage.createdAt)}
            </time>
          </span>
          <span class="row-bottom">
            {isOwn && !isGroup && <Ticks status={statusOf(chat)} />}
            <span class={`row-message${typing.length > 0 ? ' is-typing' : ''}`}>
              {typing.length > 0 ? `${typing.join(', ')} typing…` : previewOf(chat, isOwn)}
            </span>
            <Badges chat={chat} />
          </span>
        </span>
      </a>
    </li>
  );
}

/** The badges of a chat: mentions, and the number of unread messages or the mark as unread. */
function Badges({ chat }: { readonly chat: ChatSummary }) {
  const { unreadCount, mentionCount, markedUnread, muted } = chat;
  return (
    <>
      {mentionCount > 0 && (
        <span class="badge mention">
          @<span class="hidden"> mentioned</span>
        </span>
      )}
      {unreadCount > 0 ? (
        <span class={`badge${muted ? ' muted' : ''}`}>
          {unreadCount}
          <span class="hidden"> unread</span>
        </span>
      ) : (
        markedUnread && (
          <span class="badge dot">
            <span class="hidden">marked as unread</span>
          </span>
        )
      )}
    </>
  );
}

/** Returns the last message in one line. */
function previewOf({ address, lastMessage }: ChatSummary, isOwn: boolean): string {
  const { deletedAt, content, kind, senderName } = lastMessage;
  if (deletedAt) return 'Deleted message';
  if (isOwn) return `You: ${content}`;
  return address.groupId !== undefined && kind === 'text' ? `${senderName}: ${content}` : content;
}

function Mark({ icon, label }: { icon: 'mute' | 'pin'; label: string }) {
  return (
    <span class="mark" title={label}>
      <Icon name={icon} />
      <span class="hidden">, {label}</span>
    </span>
  );
}

/** Returns the delivery status of the last message of a dialog. */
function statusOf({ lastMessage: { seq }, otherReadSeq, otherDeliveredSeq }: ChatSummary) {
  if (seq <= otherReadSeq) return 'read';
  return seq <= otherDeliveredSeq ? 'delivered' : 'sent';
}
