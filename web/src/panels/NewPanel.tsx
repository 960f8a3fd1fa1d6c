import { useState } from 'preact/hooks';
import { useAction, useClient, useLoaded, useSettled } from '../hooks.ts';
import { Avatar } from '../parts/Avatar.tsx';
import { Panel } from '../parts/Panel.tsx';
import { PeoplePicker } from '../parts/PeoplePicker.tsx';
import { Problem } from '../parts/Problem.tsx';
import { chatHref, go } from '../route.ts';

type Tab = 'person' | 'group' | 'public';

const TABS: Readonly<Record<Tab, string>> = { person: 'Person', group: 'New group', public: 'Public groups' };

/** The panel to open a dialog, create a group, or join a public one. */
export function NewPanel({ onClose }: { onClose(): void }) {
  const [tab, setTab] = useState<Tab>('person');
  const open = (href: string) => {
    onClose();
    go(href);
  };
  return (
    <Panel title="New chat" onClose={onClose}>
      <div class="tabs">
        {Object.entries(TABS).map(([name, label]) => (
          <button key={name} type="button" aria-pressed={tab === name} onClick={() => setTab(name as Tab)}>
            {label}
          </button>
        ))}
      </div>
      {tab === 'person' && (
        <PeoplePicker label="Find a person" onPick={({ userId }) => open(chatHref({ receiverId: userId }))} />
      )}
      {tab === 'group' && <NewGroup onOpen={open} />}
      {tab === 'public' && <PublicGroups onOpen={open} />}
    </Panel>
  );
}

function NewGroup({ onOpen }: { onOpen(href: string): void }) {
  const client = useClient();
  const { run, error, busy } = useAction();
  const [people, setPeople] = useState<readonly { userId: number; username: string }[]>([]);
  const create = (event: SubmitEvent) => {
    event.preventDefault();
    const form = new FormData(event.currentTarget as HTMLFormElement);
    const userIds = people.map(({ userId }) => userId);
    run(async () => {
      const { groupId } = await client.call('newGroup', {
        groupName: String(form.get('name')),
        isPrivate: form.get('public') === null,
        ...(userIds.length > 0 && { userIds }),
      });
      onOpen(chatHref({ groupId }));
    });
  };
  return (
    <form onSubmit={create}>
      <label>
        Name
        <input name="name" required maxLength={100} autocomplete="off" />
      </label>
      <label class="check">
        <input type="checkbox" name="public" /> Public: all users can find and join it
      </label>
      <PeoplePicker
        label="Add people"
        without={people.map(({ userId }) => userId)}
        onPick={(person) => setPeople([...people, person])}
      />
      <ul class="chips" aria-label="People to add">
        {people.map(({ userId, username }) => (
          <li key={userId}>
            {username}
            <button
              type="button"
              aria-label={`Remove ${username}`}
              onClick={() => setPeople(people.filter((person) => person.userId !== userId))}
            >
              ×
            </button>
          </li>
        ))}
      </ul>
      <Problem text={error} />
      <button type="submit" class="primary" disabled={busy}>
        Create group
      </button>
    </form>
  );
}

function PublicGroups({ onOpen }: { onOpen(href: string): void }) {
  const client = useClient();
  const { run, error, busy } = useAction();
  const [query, setQuery] = useState('');
  const settled = useSettled(query.trim());
  const { value: groups } = useLoaded(
    async () => (await client.call('listGroups', { limit: 20, ...(settled && { query: settled }) })).data,
    [settled],
  );
  const join = (groupId: number) =>
    run(async () => {
      await client.call('joinGroup', { groupId });
      onOpen(chatHref({ groupId }));
    });
  return (
    <div class="picker">
      <label>
        Find a group
        <input
          type="search"
          value={query}
          placeholder="Group name"
          onInput={(event) => setQuery(event.currentTarget.value)}
        />
      </label>
      <Problem text={error} />
      <ul class="rows">
        {groups?.map(({ groupId, groupName, description, memberCount }) => (
          <li key={groupId}>
            <button type="button" class="row" disabled={busy} onClick={() => join(groupId)}>
              <Avatar name={groupName} square />
              <span class="row-text">
                <span class="row-name">{groupName}</span>
                <span class="row-message">
                  {memberCount} {memberCount === 1 ? 'member' : 'members'}
                  {description && ` · ${description}`}
                </span>
              </span>
            </button>
          </li>
        ))}
      </ul>
      {groups?.length === 0 && <p class="empty">No public groups{settled && ' with this name'} yet.</p>}
    </div>
  );
}
