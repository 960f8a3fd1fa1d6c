import { useState } from 'preact/hooks';
import type { ChatAddress, ChatSummary, Observable, Presence } from '../../../src/client/index.ts';
import { useClient, useLoaded, useValue } from '../hooks.ts';
import { GroupPanel } from '../panels/GroupPanel.tsx';
import { PersonPanel } from '../panels/PersonPanel.tsx';
import { Avatar } from '../parts/Avatar.tsx';
import { Icon } from '../parts/Icon.tsx';
import { lastSeen } from '../time.ts';

/** The presence shown for a group: none. */
const NO_PRESENCE: Observable<Presence | undefined> = { value: undefined, subscribe: () => () => {} };

interface Props {
  readonly address: ChatAddress;
  readonly summary: ChatSummary | undefined;
  readonly typing: readonly string[];
}

/** The name and status of a chat, and its settings. */
export function Header({ address, summary, typing }: Props) {
  const client = useClient();
  const { groupId, receiverId } = address;
  const presence = useValue(receiverId === undefined ? NO_PRESENCE : client.presence(receiverId));
  const [isOpen, setIsOpen] = useState(false);
  // The list has no summary of a dialog without messages.
  const { value: stranger, error } = useLoaded(
    async () =>
      summary || receiverId === undefined
        ? undefined
        : (await client.call('getProfile', { userId: receiverId })).data,
    [receiverId, summary !== undefined],
  );
  const { value: group } = useLoaded(
    async () => (groupId === undefined ? undefined : (await client.call('getGroup', { groupId })).data),
    [groupId, summary?.lastMessage.kind === 'system' && summary.lastMessage.seq],
  );
  const isSelf = receiverId !== undefined && receiverId === client.self?.userId;
  const name = summary?.name ?? stranger?.username ?? group?.groupName ?? '';
  const isTyping = typing.length > 0 && receiverId !== undefined;
  const status = error ?? (isTyping ? 'typing…' : statusOf(isSelf, group?.memberCount, presence));

  const state = { ...address } as ChatAddress;
  const set = (change: () => Promise<unknown>) => void change().catch(() => {});
  return (
    <header class="chat-header">
      <h1 class="hidden">{name}</h1>
      <a class="quiet back" href="#/" aria-label="Back to the chats">
        <Icon name="back" />
      </a>
      <button type="button" class="about" onClick={() => setIsOpen(true)}>
        <Avatar name={name || '?'} presence={presence} square={groupId !== undefined} />
        <span class="about-text">
          <span class="hidden">About </span>
          <span class="row-name">{name}</span>
          <span class={`status${presence?.online ? ' is-online' : ''}`}>{status}</span>
        </span>
      </button>
      {summary && (
        <div class="chat-actions">
          <Toggle
            icon={summary.muted ? 'mute' : 'bell'}
            label="Mute"
            on={summary.muted}
            onClick={() => set(() => client.call('muteChat', { ...state, muted: !summary.muted }))}
          />
          <Toggle
            icon="pin"
            label="Pin"
            on={summary.pinned}
            onClick={() => set(() => client.call('pinChat', { ...state, pinned: !summary.pinned }))}
          />
          <Toggle
            icon="archive"
            label="Archive"
            on={summary.archived}
            onClick={() => set(() => client.call('archiveChat', { ...state, archived: !summary.archived }))}
          />
        </div>
      )}
      {isOpen && groupId !== undefined && <GroupPanel groupId={groupId} onClose={() => setIsOpen(false)} />}
      {isOpen && receiverId !== undefined && (
        <PersonPanel userId={receiverId} onClose={() => setIsOpen(false)} />
      )}
    </header>
  );
}

interface ToggleProps {
  readonly icon: 'mute' | 'bell' | 'pin' | 'archive';
  readonly label: string;
  readonly on: boolean;
  onClick(): void;
}

function Toggle({ icon, label, on, onClick }: ToggleProps) {
  return (
    <button
      type="button"
      class="quiet"
      aria-label={`${label} this chat`}
      aria-pressed={on}
      title={label}
      onClick={onClick}
    >
      <Icon name={icon} />
    </button>
  );
}

/** Returns the line below the name of a chat. */
function statusOf(isSelf: boolean, members: number | undefined, presence: Presence | undefined): string {
  if (isSelf) return 'Notes to yourself';
  if (members !== undefined) return `${members} ${members === 1 ? 'member' : 'members'}`;
  if (presence?.online) return 'online';
  return presence?.lastSeenAt ? lastSeen(presence.lastSeenAt) : '';
}
